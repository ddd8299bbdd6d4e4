"""Reads asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/) from a file or the server.

What is read may come from anywhere, so nothing in it is trusted.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cli.errors import CliError
from cli.output import Document

_SHOWN = ("o", "m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something to show: `wait` seconds after the one before; a marker is not the program's."""

    wait: float
    text: str
    marker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A recording; `entries` can be gone through once."""

    width: int
    height: int
    idle_limit: float | None
    entries: Iterator[Entry]


def read(lines: Iterable[bytes], *, name: str) -> Cast:
    """Read the first line now and the rest as it is shown; CliError when it is no recording."""
    source = iter(lines)
    header = _parsed(next(source, b""))
    if not isinstance(header, dict) or header.get("version") != 2:
        raise CliError(f"{name} is no recording (asciicast v2)")
    idle = _number(header.get("idle_time_limit"))
    return Cast(
        width=int(_number(header.get("width"))),
        height=int(_number(header.get("height"))),
        idle_limit=idle or None,
        entries=_entries(source),
    )


def _entries(lines: Iterator[bytes]) -> Iterator[Entry]:
    before = 0.0
    # A torn last line is what a crash leaves; a line that cannot be read is said, not hidden.
    for line in lines:
        value = _parsed(line) if line.endswith(b"\n") else None
        if not (isinstance(value, list) and _is_event(value)):
            yield Entry(wait=0.0, text="the recording is damaged or cut off here", marker=True)
            if not line.endswith(b"\n"):
                return
            continue
        seconds, code, text = value[0], value[1], str(value[2])
        if code not in _SHOWN:
            continue
        now = max(before, _number(seconds))
        yield Entry(wait=now - before, text=text, marker=code == "m")
        before = now


def _is_event(value: list[object]) -> bool:
    match value:
        case [int() | float(), str(), str()]:
            return True
    return False


def _number(value: object) -> float:
    """A finite number that is not negative, else 0."""
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(min(value, 1e9))
    return 0.0


def _parsed(line: bytes) -> Document | list[object] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None
