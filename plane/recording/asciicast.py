"""asciicast v2, pure: https://docs.asciinema.org/manual/asciicast/v2/.

A header line, then one `[seconds, code, text]` line per event. All of it is ASCII, so that a
recording shown with `cat` does nothing to a terminal.
"""

import codecs
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from json.encoder import encode_basestring_ascii


class Code(StrEnum):
    """What an event is: output, input, resize (`80x24`) or marker."""

    OUTPUT = "o"
    INPUT = "i"
    RESIZE = "r"
    MARKER = "m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a recording; `seconds` since its start."""

    seconds: float
    code: str
    text: str


class BadCast(ValueError):
    """These bytes are no asciicast v2."""


def header_line(*, width: int, height: int, timestamp: float, more: Mapping[str, object]) -> bytes:
    """The first line; `more` adds optional keys of the format such as `command` and `title`."""
    first = {"version": 2, "width": width, "height": height, "timestamp": int(timestamp)}
    return json.dumps({**first, **more}).encode() + b"\n"


def quoted(text: str) -> bytes:
    """A text as a JSON string in ASCII."""
    return encode_basestring_ascii(text).encode()


def event_line(
    seconds: float, code: Code, text: str, *, quote: Callable[[str], bytes] = quoted
) -> bytes:
    """One event with its line feed; `quote` may be a faster writer of the same JSON."""
    return b'[%.6f, "%b", %b]\n' % (seconds, code.value.encode(), quote(text))


class Text:
    """Decodes one stream of bytes whose chunks may cut a character in two."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def decode(self, data: bytes) -> str | None:
        """The text so far, or None when it is binary (NUL or invalid UTF-8); then use `lossy`."""
        waiting = self._decoder.getstate()
        try:
            text = self._decoder.decode(data)
        except UnicodeDecodeError:
            self._decoder.setstate(waiting)
            return None
        if "\0" in text:
            self._decoder.setstate(waiting)
            return None
        return text

    def lossy(self, data: bytes) -> str:
        """The text with U+FFFD for what is no UTF-8; a character cut at the end waits."""
        pending = self._decoder.getstate()[0] + data
        self._decoder.reset()
        whole = len(pending) - _cut_character(pending)
        self._decoder.decode(pending[whole:])
        return pending[:whole].decode("utf-8", "replace")

    def forget(self) -> int:
        """Drop a character that waits for its end; how many bytes it had."""
        waiting = len(self._decoder.getstate()[0])
        self._decoder.reset()
        return waiting


def _cut_character(data: bytes) -> int:
    """How many bytes at the end begin a character that is not complete."""
    for count in range(1, min(3, len(data)) + 1):
        if data[-count] >= 0xC0:
            decoder = codecs.getincrementaldecoder("utf-8")("strict")
            try:
                return 0 if decoder.decode(data[-count:]) else count
            except UnicodeDecodeError:
                return 0
        if data[-count] < 0x80:
            return 0
    return 0


def read_header(line: bytes) -> Mapping[str, object]:
    """The first line as an object; BadCast when it is none."""
    try:
        header = json.loads(line)
    except ValueError as error:
        raise BadCast("the first line is no JSON") from error
    if not isinstance(header, dict) or header.get("version") != 2:
        raise BadCast("the first line does not say version 2")
    return header


def read_events(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events after the header; ends at a torn line, which only a crash leaves behind."""
    for line in lines:
        event = _event(line) if line.endswith(b"\n") else None
        if event is None:
            return
        yield event


def _event(line: bytes) -> Event | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    match value:
        case [float() | int() as seconds, str() as code, str() as text]:
            return Event(seconds=float(seconds), code=code, text=text)
        case _:
            return None
