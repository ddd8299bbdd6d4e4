"""What exec and attach carry, whatever the wire: stdin, output, resizes and the final Status.

The taps feed it named pieces of streams; it makes the events, joining neighbours.
https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
"""

import json
from collections.abc import Mapping

from plane.kube.tapevents import Ended, Input, Output, OutputStream, Resize, TapError, TapEvent

MAX_STATUS_BYTES = 64 * 1024
MAX_RESIZE_BYTES = 4 * 1024  # of one unfinished JSON value


class Journal:
    """Collects the events of one call to a tap, and what spans calls: Status and resizes."""

    __slots__ = ("_ended", "_error", "_events", "_json", "_parts", "_resizes", "_run", "_size")

    def __init__(self, *, json_status: bool) -> None:
        self._json = json_status
        self._events: list[TapEvent] = []
        self._run: OutputStream | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._error = bytearray()
        self._resizes: str | None = ""  # None once the cluster has stopped listening
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the cluster has told the end."""
        return self._ended

    def output(self, stream: OutputStream, data: bytes) -> None:
        """Bytes of stdout or stderr."""
        if stream is not self._run:
            self._close_run()
            self._run = stream
        self._parts.append(data)

    def input(self, data: bytes, size: int) -> None:
        """Bytes of stdin; `data` may be left out."""
        self._parts.append(data)
        self._size += size

    def resize(self, data: bytes) -> None:
        """Part of a stream of JSON values like {"Width":80,"Height":24}.

        As in the cluster, the first thing that is no size ends the listening.
        """
        if self._resizes is None:
            return
        text: str | None = self._resizes + data.decode("latin-1")
        while text and (text := text.lstrip(" \t\r\n")):
            end = text.find("}") + 1
            if not end:
                text = text if len(text) <= MAX_RESIZE_BYTES else None
                break
            size = _size(text[:end])
            if size is None:
                text = None
                break
            self._close_run()
            self._events.append(size)
            text = text[end:]
        self._resizes = text

    def error(self, data: bytes) -> None:
        """Part of the error stream, which holds one Status (or text before protocol v4)."""
        if len(self._error) + len(data) > MAX_STATUS_BYTES:
            raise TapError(f"the final status is longer than {MAX_STATUS_BYTES} bytes")
        self._error += data

    def error_end(self) -> None:
        """The error stream is complete."""
        if self._ended:
            return
        self._ended = True
        said = self._error.decode("utf-8", "replace")
        status = _status(said) if self._json else None
        self._close_run()
        self._events.append(Ended(status=status, message=said if status is None else ""))

    def error_pending(self) -> bool:
        """Whether the error stream holds something."""
        return bool(self._error)

    def take(self) -> list[TapEvent]:
        """The events since the last call."""
        self._close_run()
        events, self._events = self._events, []
        return events

    def _close_run(self) -> None:
        if not self._parts:
            self._run = None
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        if self._run is None:
            if self._size:
                self._events.append(Input(data=data, size=self._size))
        elif data:
            self._events.append(Output(stream=self._run, data=data))
        self._parts.clear()
        self._run, self._size = None, 0


def _size(text: str) -> Resize | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    # Go matches the names in any case; a missing one is 0.
    fields = {str(key).lower(): item for key, item in value.items()} if _is_object(value) else None
    if fields is None:
        return None
    width, height = fields.get("width", 0), fields.get("height", 0)
    if type(width) is not int or type(height) is not int:
        return None
    if not (0 <= width < 65536 and 0 <= height < 65536):
        return None
    return Resize(width=width, height=height)


def _status(said: str) -> Mapping[str, object] | None:
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        return None
    return value if _is_object(value) else None


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def message_of(status: bytes) -> bytes:
    """The sentence of a v1.Status in JSON, for wires that carry plain text."""
    value = _status(status.decode("utf-8", "replace"))
    message = value.get("message") if value else None
    return str(message).encode() if message else status
