"""The answer to one request on a client's connection: framing and back-pressure."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from plane.proxy.call import ClientStream
from plane.upstream.base import Headers

_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}
_BODILESS = frozenset({204, 304})


class Wire(Protocol):
    """What an answer needs of its connection."""

    @property
    def congested(self) -> bool:
        """Whether the client reads slower than we write."""
        ...

    def put(self, data: bytes) -> None:
        """Write bytes."""
        ...

    def when_clear(self, callback: Callable[[], None] | None) -> None:
        """Call back when no longer congested."""
        ...

    def answered(self, *, keep: bool) -> None:
        """The answer is whole."""
        ...

    def drop(self) -> None:
        """Cut the connection."""
        ...

    def take_over(self) -> ClientStream:
        """Turn the connection into a byte stream."""
        ...


class Answer:
    """Writes one answer; a `Reply`."""

    __slots__ = ("_chunked", "_head", "_keep", "_no_body", "_over", "_version", "_wire", "started")

    def __init__(self, wire: Wire, *, version: str, keep: bool, bodiless: bool) -> None:
        self._wire = wire
        self._version = version
        self._keep = keep
        self._no_body = bodiless
        self._chunked = False
        self._head = b""
        self._over = False
        self.started = False

    def head(self, status: int, headers: Headers, *, length: int | None) -> None:
        """Prepare the head; it leaves together with the first bytes of the body, or at `flush`."""
        assert not self.started
        self.started = True
        lines = [b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b"Status"))]
        lines += [b"%b: %b\r\n" % pair for pair in headers]
        if status in _BODILESS:
            self._no_body = True
        elif length is not None:
            lines.append(b"Content-Length: %d\r\n" % length)
        elif not self._no_body:
            if self._version == "1.1":
                self._chunked = True
                lines.append(b"Transfer-Encoding: chunked\r\n")
            else:
                self._keep = False  # HTTP/1.0: the end of the connection is the end of the body
        if not self._keep:
            lines.append(b"Connection: close\r\n")
        lines.append(b"\r\n")
        self._head = b"".join(lines)

    def data(self, chunk: bytes) -> None:
        """Send a part of the body."""
        head, self._head = self._head, b""
        if self._no_body or not chunk or self._over:
            if head:
                self._wire.put(head)
        elif self._chunked:
            self._wire.put(b"%b%x\r\n%b\r\n" % (head, len(chunk), chunk))
        else:
            self._wire.put(head + chunk if head else chunk)

    def flush(self) -> None:
        """Send the head now: a watch may wait long for its first event."""
        if self._head:
            head, self._head = self._head, b""
            self._wire.put(head)

    def end(self) -> None:
        """The body is whole."""
        if self._over:
            return
        self._over = True
        head, self._head = self._head, b""
        tail = b"0\r\n\r\n" if self._chunked and not self._no_body else b""
        if head or tail:
            self._wire.put(head + tail)
        self._wire.answered(keep=self._keep)

    def abort(self) -> None:
        """Cut the connection: a truncated body must not look whole."""
        self._over = True
        self._wire.drop()

    @property
    def full(self) -> bool:
        """Whether the client is slow."""
        return self._wire.congested

    def on_room(self, callback: Callable[[], None] | None) -> None:
        """Call back when the client has caught up."""
        self._wire.when_clear(callback)

    async def upgrade(self, headers: Headers) -> ClientStream:
        """Send 101 and hand the byte stream over."""
        assert not self.started
        self.started = True
        self._over = True
        lines = [b"HTTP/1.1 101 Switching Protocols\r\n"]
        lines += [b"%b: %b\r\n" % pair for pair in headers]
        stream = self._wire.take_over()
        self._wire.put(b"".join([*lines, b"\r\n"]))
        return stream
