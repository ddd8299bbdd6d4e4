"""Reads segments on from a byte offset, in whole lines and bounded pieces."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plane.audit.segment import segments

PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A segment by its name and how much of it has been read; an empty name is the beginning."""

    segment: str = ""
    offset: int = 0


def end(folder: Path) -> Place:
    """After the last whole line there is."""
    paths = segments(folder) if folder.is_dir() else []
    if not paths:
        return Place()
    place = Place(segment=paths[-1].name, offset=0)
    while True:
        _, after = read_on(folder, place)
        if after == place:
            return place
        place = after


def read_on(folder: Path, place: Place) -> tuple[list[bytes], Place]:
    """The next whole lines, about 1 MiB of them, and the place after; the same place at the end."""
    paths = segments(folder) if folder.is_dir() else []
    for path in (each for each in paths if each.name >= place.segment):
        offset = place.offset if path.name == place.segment else 0
        piece = _piece(path, offset)
        if piece:
            after = Place(segment=path.name, offset=offset + len(piece))
            return piece.splitlines(keepends=True), after
    return [], place


def parsed(line: bytes) -> Mapping[str, object] | None:
    """The line's object, or None when it is damaged."""
    try:
        value = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _piece(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            piece = file.read(PIECE_BYTES)
            if piece and b"\n" not in piece:
                piece += file.readline()  # one line longer than a piece
    except FileNotFoundError:
        return b""  # somebody moved the segment away since it was listed
    return piece[: piece.rfind(b"\n") + 1]
