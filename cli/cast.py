"""Reads asciicast v2, plane's or a stranger's: nothing in it is trusted; pure.

https://docs.asciinema.org/manual/asciicast/v2/
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cli.errors import CliError
from cli.output import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened `seconds` after the start; `code` is o, i, r or m."""

    seconds: float
    code: str
    text: str


def read(lines: Iterable[bytes]) -> tuple[Document, Iterator[Event]]:
    """The header and the events; a damaged or torn line ends the recording, with a marker."""
    source = iter(lines)
    header = _parsed(next(source, b""))
    if not isinstance(header, dict) or header.get("version") != 2:
        raise CliError("this is no asciicast v2 recording")
    return header, _events(source)


def _events(lines: Iterator[bytes]) -> Iterator[Event]:
    latest = 0.0
    for line in lines:
        match _parsed(line):
            case [int() | float() as seconds, str() as code, str() as text]:
                # Never backwards and never NaN, whatever the file says.
                latest = max(latest, min(float(seconds), 1e9)) if seconds >= 0 else latest
                yield Event(seconds=latest, code=code, text=text)
            case _:
                # Said, not hidden: whoever can damage a line could shorten the evidence.
                yield Event(seconds=latest, code="m", text="the recording is cut off here")
                return


def _parsed(line: bytes) -> object:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value


def delays(
    events: Iterable[Event], *, speed: float = 1.0, idle_limit: float | None = None
) -> Iterator[tuple[float, Event]]:
    """Each event that is shown (output and markers), with the seconds to wait before it."""
    before = 0.0
    for event in events:
        if event.code not in {"o", "m"}:
            continue
        gap, before = event.seconds - before, event.seconds
        if idle_limit is not None:
            gap = min(gap, idle_limit)
        yield gap / speed, event
