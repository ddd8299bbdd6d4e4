"""The segments of the log: how they are named and sorted, and how a crash is repaired.

A name is the first sequence number and the start time: `0000000000000001-20261123T120000Z.jsonl`,
so that names sort as the lines do, whatever the clock did.
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

_NAME = re.compile(r"(\d{16})-(\d{8}T\d{6}Z)\.jsonl")
_TIME = "%Y%m%dT%H%M%SZ"


class _Head(msgspec.Struct):
    seq: int
    writer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the log stood when it was opened: the last writer and number, and what was repaired.

    `cut_bytes` is the length of a torn last line that was removed; `damaged` counts whole lines at
    the end that cannot be read and were left as they are.
    """

    seq: int = 0
    writer: str = ""
    cut_bytes: int = 0
    damaged: int = 0


def segment_path(folder: Path, *, seq: int, started: float) -> Path:
    """The path of a segment that begins with `seq` at `started` (epoch seconds)."""
    return folder / f"{seq:016d}-{datetime.fromtimestamp(started, UTC).strftime(_TIME)}.jsonl"


def segment_start(path: Path) -> tuple[int, float]:
    """The first number and the start (epoch seconds) that a segment's name tells."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path.name} is no segment")
    return int(match[1]), datetime.strptime(match[2], _TIME).replace(tzinfo=UTC).timestamp()


def segments(folder: Path) -> list[Path]:
    """All segments of a folder, oldest first."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def repair(folder: Path) -> Position:
    """Cut a torn last line off the newest segment and find where to go on; may raise OSError."""
    paths = segments(folder)
    if not paths:
        return Position()
    cut = _cut_torn_line(paths[-1])
    damaged = 0
    for path in reversed(paths):
        for line in _lines_backwards(path):
            head = _head(line)
            if head is not None:
                seq = max(head.seq + damaged, segment_start(paths[-1])[0] - 1)
                return Position(seq=seq, writer=head.writer, cut_bytes=cut, damaged=damaged)
            damaged += 1
    first, _ = segment_start(paths[-1])
    return Position(seq=first - 1 + damaged, cut_bytes=cut, damaged=damaged)


def _cut_torn_line(path: Path) -> int:
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        if size == 0:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            end = content.rfind(b"\n") + 1
        if end < size:
            file.truncate(end)
        return size - end


def _lines_backwards(path: Path) -> Iterator[bytes]:
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = len(content)
        while end > 0:
            start = content.rfind(b"\n", 0, end - 1) + 1
            yield content[start:end]
            end = start


def _head(line: bytes) -> _Head | None:
    try:
        return msgspec.json.decode(line, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
