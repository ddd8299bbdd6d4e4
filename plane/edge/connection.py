"""One client's connection: HTTP/1.1 bytes in, calls out, answers back in order.

Requests on a connection are served one after the other; what a client pipelines waits unparsed or
in a short queue. Everything that depends on time is a deadline that listener.py sweeps.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import httptools

from plane.edge.answer import Answer
from plane.edge.body import Body
from plane.edge.head import MAX_HEAD_BYTES, MAX_HEADERS, HeadError, framing
from plane.edge.raw import RawStream
from plane.errors import BadRequest
from plane.kube.status import status
from plane.proxy.call import Call, ClientStream, Peer
from plane.tasks import spawn
from plane.upstream.base import Headers

Serve = Callable[[Call], Coroutine[Any, Any, None]]

HEAD_SECONDS = 10.0  # from the first byte of a head to its last: slow heads are an attack
IDLE_SECONDS = 180.0
_DRAIN_SECONDS = 5.0  # how long the rest of a refused body is read and thrown away
_LINGER_SECONDS = 0.2
_MAX_PIPELINED = 8
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class ClientConnection(asyncio.Protocol):
    """The protocol of one accepted socket; also the `Wire` of its answers."""

    def __init__(self, serve: Serve, identify: Callable[[asyncio.BaseTransport], Peer]) -> None:
        self._serve = serve
        self._identify = identify
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._peer = Peer(address="")
        self._queue: deque[Call] = deque()
        self._task: asyncio.Task[None] | None = None
        self._raw: RawStream | None = None
        self._target = b""
        self._headers: Headers = []
        self._head_bytes = 0
        self._unparsed = 0
        self._body: Body | None = None
        self._serving: object = None  # the body of the call under way
        self._in_body = False
        self._congested: asyncio.Future[None] | None = None
        self._on_clear: Callable[[], None] | None = None
        self._continue = False
        self._closing = False
        self.draining = False
        self.deadline: float | None = None
        self.on_lost: Callable[[ClientConnection], None] = lambda _: None

    def __repr__(self) -> str:
        state = "RAW" if self._raw else "BUSY" if self._task else "IDLE"
        return f"<ClientConnection {self._peer.address} {state}>"

    @property
    def idle(self) -> bool:
        """Whether no request is being served."""
        return self._task is None and not self._queue

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learn who it is, once per connection."""
        self._transport = transport  # type: ignore[assignment]  # uvloop's own transport class
        self._peer = self._identify(transport)
        self.deadline = time.monotonic() + HEAD_SECONDS

    def data_received(self, data: bytes) -> None:
        """Parse requests, or pass bytes on after an upgrade."""
        if self._raw is not None:
            self._raw.feed(data)
            return
        if self._parser is None or (self._closing and self._body is None):
            return
        if self.idle and not self._in_body and not self._unparsed:
            self.deadline = time.monotonic() + HEAD_SECONDS
        self._unparsed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrading(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._refuse(400, str(cause) if isinstance(cause, HeadError) else "bad request")
        except httptools.HttpParserError:
            self._refuse(400, "the request is not HTTP/1.1")
        else:
            # One header or trailer may be longer than the parser's callbacks ever tell.
            if self._unparsed > 2 * MAX_HEAD_BYTES:
                self._refuse(431, "the request's head is too large")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The client has gone: whatever is being done for it ends."""
        self._parser = None  # breaks the cycle parser -> bound methods -> connection
        if self._raw is not None:
            self._raw.lost()
        if self._body is not None:
            self._body.fail(BadRequest("the client broke off"))
        if self._congested is not None and not self._congested.done():
            self._congested.set_result(None)
        if self._task is not None and self._raw is None:
            self._task.cancel()
        self._on_clear = None
        self._queue.clear()
        self._transport = None
        self.on_lost(self)

    def pause_writing(self) -> None:
        """The client reads slowly."""
        self._congested = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._congested is not None and not self._congested.done():
            self._congested.set_result(None)
        self._congested = None
        callback, self._on_clear = self._on_clear, None
        if callback is not None:
            callback()

    # httptools callbacks

    def on_message_begin(self) -> None:
        """A request begins."""
        self._target = b""
        self._head_bytes = 0
        self._headers = []
        self._in_body = False

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._target += url
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers come after the body and could smuggle one past the checks."""
        if self._in_body:
            return
        self._head_bytes += len(name) + len(value) + 4
        if len(self._headers) >= MAX_HEADERS or self._head_bytes > MAX_HEAD_BYTES:
            raise HeadError("the request's head is too large")
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole: make a call of it."""
        parser = self._parser
        assert parser is not None
        self._in_body = True
        self._unparsed = 0
        version = parser.get_http_version()
        length, chunked = framing(version, self._target, self._headers)
        method = parser.get_method().decode("latin-1")
        if method not in _METHODS:
            raise HeadError("the method is not supported")
        if len(self._queue) >= _MAX_PIPELINED:
            raise HeadError("too many pipelined requests")
        upgrade = _header(self._headers, b"upgrade") if parser.should_upgrade() else b""
        if upgrade and (chunked or length):
            # llhttp would hand the body over as bytes of the upgraded stream.
            raise HeadError("an upgrade request must not have a body")
        self._continue = _header(self._headers, b"expect").lower() == b"100-continue"
        body = Body(self._wanted) if chunked or length else None
        self._body = body
        answer = Answer(
            self,
            version=version,
            # After an upgrade request the parser reads no further: whatever the answer, it is last.
            keep=parser.should_keep_alive() and not self.draining and not upgrade,
            bodiless=method == "HEAD",
        )
        self._queue.append(
            Call(
                method=method,
                target=self._target,
                headers=self._headers,
                peer=self._peer,
                reply=answer,
                body=body,
                length=None if chunked else length,
                upgrade=upgrade.decode("latin-1"),
                received=time.time(),
            )
        )
        if not upgrade:
            self._next()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._unparsed = 0
        if self._body is not None:
            self._body.feed(body)
            if self._body.full:
                self.reading(on=False)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._in_body = False
        self._unparsed = 0
        if self._body is not None:
            self._body.finish()
            self._body = None
        if self._task is None and not self._queue and self._transport is not None:
            self._rest()

    # What answers need (Wire, RawWire).

    @property
    def congested(self) -> bool:
        """Whether the client reads slower than we write."""
        return self._congested is not None

    def put(self, data: bytes) -> None:
        """Write bytes; silently nothing once the client has gone."""
        if self._transport is not None:
            self._transport.write(data)

    def when_clear(self, callback: Callable[[], None] | None) -> None:
        """Call back when no longer congested."""
        self._on_clear = callback
        if callback is not None and self._congested is None:
            self._on_clear = None
            callback()

    async def writable(self) -> None:
        """Wait until the client reads again; ConnectionResetError when it has gone."""
        if self._congested is not None:
            await asyncio.shield(self._congested)
        if self._transport is None:
            raise ConnectionResetError

    def reading(self, *, on: bool) -> None:
        """Pause or resume reading."""
        if self._transport is not None:
            if on:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def answered(self, *, keep: bool) -> None:
        """The answer is whole: next request, or the end."""
        # A body that is coming in may be that of the next, pipelined request.
        rest = self._body if self._body is self._serving else None
        if not keep or self._closing:
            self._closing = True
            if rest is None:
                self.finish()
        if rest is not None:
            # Refused before its body was read: read the rest and drop it, or a reset would take
            # our answer with it.
            rest.discard()
            self.reading(on=True)
            self.deadline = time.monotonic() + _DRAIN_SECONDS

    def finish(self) -> None:
        """Close once everything written has left."""
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def take_over(self) -> ClientStream:
        """Turn the connection into a byte stream."""
        self._raw = RawStream(self)
        self._parser = None
        self.deadline = None
        self.reading(on=True)
        return self._raw

    # Inside.

    def _next(self) -> None:
        if self._task is None and self._queue:
            call = self._queue.popleft()
            self._serving = call.body
            self.deadline = None
            self._task = spawn(self._serve(call), name="call")
            self._task.add_done_callback(self._served)
        elif self._queue:
            self.reading(on=False)  # pipelined: the rest waits in the kernel

    def _served(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if self._transport is None or self._raw is not None:
            return
        if task.cancelled() or task.exception() is not None:
            self.drop()
        elif self._queue and not self._closing:
            self._next()
        elif self._body is None:
            self._rest()

    def _rest(self) -> None:
        if self._closing or self.draining:
            self.finish()
            return
        self.deadline = time.monotonic() + IDLE_SECONDS
        self.reading(on=True)

    def _wanted(self) -> None:
        if self._continue:
            self._continue = False
            self.put(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.reading(on=True)

    def _upgrading(self, early: bytes) -> None:
        if early:
            # A client waits for the 101; bytes before it are another request in disguise.
            self._refuse(400, "bytes after an upgrade request, before its answer")
            return
        self._body = None
        self.reading(on=False)
        self._next()

    def _refuse(self, code: int, message: str) -> None:
        self._closing = True
        self._parser = None
        self._queue.clear()
        body = status(code=code, reason="BadRequest", message=message)
        if self._task is None:
            answer = Answer(self, version="1.1", keep=False, bodiless=False)
            answer.head(code, [(b"Content-Type", b"application/json")], length=len(body))
            answer.data(body)
        # Closing with unread bytes resets the connection, and the reset can overtake our answer.
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, self.finish)


def _header(headers: Headers, name: bytes) -> bytes:
    for key, value in headers:
        if key.lower() == name:
            return value
    return b""
