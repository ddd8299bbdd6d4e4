"""One HTTP/1.1 connection to a cluster, and the one exchange that runs on it at a time.

RFC 9112. The parser is httptools (llhttp), strict as it comes; its known gaps are closed here
(trailers after the body, bodiless answers, 1xx answers, an answer that nobody asked for).
"""

import asyncio
from collections.abc import Callable

import httptools

from plane.errors import UpstreamUnavailable
from plane.upstream.base import Headers, Sink

MAX_HEAD_BYTES = 64 * 1024  # a security limit: an answer's head that is longer is a fault
_KEEP_BELOW_BYTES = 1024 * 1024  # a connection that moved more keeps its grown buffers: drop it


class Exchange:
    """One request's answer as it comes in; `head` resolves first, `done` when the body ended."""

    __slots__ = (
        "_buffered",
        "_connection",
        "_sink",
        "bytes_in",
        "done",
        "head",
        "headers",
        "started",
        "status",
    )

    def __init__(self, connection: "Connection", started: float) -> None:
        loop = asyncio.get_running_loop()
        self._connection = connection
        self._sink: Sink | None = None
        self._buffered: list[bytes] = []
        self.head: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()
        self.headers: Headers = []
        self.status = 0
        self.bytes_in = 0
        self.started = started

    @property
    def complete(self) -> bool:
        """Whether the whole answer is here already."""
        return self.done.done()

    def take_buffered(self) -> bytes:
        """The body bytes that came before anybody was attached."""
        data = b"".join(self._buffered)
        self._buffered.clear()
        return data

    def attach(self, sink: Sink) -> None:
        """From now on give body bytes to `sink`, at the pace at which it takes them."""
        self._sink = sink
        if not self.done.done():
            self._connection.flow(sink)

    def feed(self, chunk: bytes) -> None:
        """A part of the body came in."""
        self.bytes_in += len(chunk)
        if self._sink is None:
            self._buffered.append(chunk)
        else:
            self._sink.data(chunk)

    def abort(self) -> None:
        """Give up on this answer: the connection is closed, never pooled."""
        # `done` says nothing here: it is cancelled together with the task that awaits it.
        self._connection.give_up(self)

    def stop(self, error: Exception) -> None:
        """End it for a reason of ours: whoever awaits it gets `error`."""
        _reject(self, error)
        self._connection.give_up(self)

    def detach(self) -> None:
        """Forget the sink, which breaks the reference cycle to the client."""
        if self._sink is not None:
            self._sink.on_room(None)
            self._sink = None

    @property
    def sink(self) -> Sink | None:
        """Who takes the body, once somebody does."""
        return self._sink


class Connection(asyncio.Protocol):
    """A connection to a cluster; `on_free` hears when it may be used again, or has closed."""

    def __init__(self, cluster: str, on_free: "Callable[[Connection], None]") -> None:
        self._cluster = cluster
        self._on_free = on_free
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._head_bytes = 0
        self._headers: Headers = []
        self._in_body = False
        self._moved = 0
        self._keep = True
        self._writable: asyncio.Future[None] | None = None
        self._method = b""
        self.closed = False
        self.sending = False
        self.used = 0
        self.idle_since = 0.0

    def __repr__(self) -> str:
        state = "CLOSED" if self.closed else "BUSY" if self._exchange else "IDLE"
        return f"<Connection {self._cluster} {state} used={self.used}>"

    # What the pool calls.

    def start(self, method: bytes, now: float) -> Exchange:
        """Begin an exchange; the caller then writes the request with `write`."""
        assert self._exchange is None
        assert not self.closed
        self.used += 1
        self._method = method
        self._exchange = Exchange(self, now)
        return self._exchange

    def give_up(self, exchange: Exchange) -> None:
        """Close, if it is this exchange that runs here; it may serve the next one already."""
        if self._exchange is exchange:
            self.close()

    def write(self, data: bytes) -> None:
        """Send request bytes; UpstreamUnavailable when the connection is gone."""
        if self._transport is None or self.closed:
            raise self._gone()
        self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the cluster takes more request bytes."""
        if self._writable is not None:
            await self._writable

    def flow(self, sink: Sink) -> None:
        """Match the cluster's pace to the sink's."""
        transport = self._transport
        if transport is None or self.closed:
            return
        if sink.full:
            transport.pause_reading()
            sink.on_room(lambda: self.flow(sink))
        else:
            transport.resume_reading()

    def close(self) -> None:
        """Close at once."""
        if self._transport is not None and not self.closed:
            self.closed = True
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's own transport class

    def data_received(self, data: bytes) -> None:
        """Parse answer bytes."""
        exchange = self._exchange
        if exchange is None or self._parser is None:
            self.close()  # bytes that no request asked for: the next answer could be forged
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            message = f"cluster {self._cluster} sent an answer that is not HTTP/1.1"
            self._fail(UpstreamUnavailable(message, detail=repr(error)))
            return
        if self._exchange is exchange:
            self._pace(exchange)

    def _pace(self, exchange: Exchange) -> None:
        """Hold the cluster back while the answer is not taken as fast as it comes."""
        if not exchange.head.done():
            if self._head_bytes > MAX_HEAD_BYTES:
                self._fail(UpstreamUnavailable(f"cluster {self._cluster} sent an oversized head"))
        elif (sink := exchange.sink) is not None:
            if sink.full:
                self.flow(sink)
        elif self._transport is not None:
            # Nobody attached yet: the pipeline has still to write down what it will say.
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection ended: an answer without length is complete, any other is cut off."""
        self.closed = True
        self._parser = None  # breaks the cycle parser -> bound methods -> connection
        if self._writable is not None and not self._writable.done():
            self._writable.set_exception(self._gone())
            self._writable.exception()
        exchange = self._exchange
        if exchange is not None:
            self._exchange = None
            if exchange.head.done() and self._until_close(exchange) and exc is None:
                _resolve(exchange.done)
            else:
                _reject(exchange, self._gone())
        self._on_free(self)

    def pause_writing(self) -> None:
        """The cluster is slow to take the request."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The cluster takes more."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # httptools callbacks

    def on_message_begin(self) -> None:
        """A head begins (again, after a 1xx)."""
        self._headers = []
        if self._exchange is None:
            self.close()  # a second answer to one request: it would be taken for the next one's

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers come after the body and are dropped."""
        if not self._in_body:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        exchange, parser = self._exchange, self._parser
        if exchange is None or parser is None or parser.get_status_code() < 200:
            return
        if sum(len(name) + len(value) for name, value in self._headers) > MAX_HEAD_BYTES:
            message = "oversized head"
            raise ValueError(message)
        self._in_body = True
        self._keep = parser.should_keep_alive()
        exchange.status = parser.get_status_code()
        exchange.headers = self._headers
        _resolve(exchange.head)
        if self._method == b"HEAD":
            # llhttp would wait for the body that a HEAD answer's Content-Length speaks of.
            self._keep = False
            self._finish(exchange)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._exchange is not None:
            self._moved += len(body)
            self._exchange.feed(body)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was a 1xx."""
        exchange = self._exchange
        if exchange is not None and exchange.head.done():
            self._finish(exchange)

    def _finish(self, exchange: Exchange) -> None:
        self._exchange = None
        self._in_body = False
        self._head_bytes = 0
        _resolve(exchange.done)
        if self._transport is None or self.closed:
            return
        if not self._keep or self.sending or self._moved > _KEEP_BELOW_BYTES:
            # Also when it was answered before the request's body was through.
            self.closed = True
            self._transport.close()
            return
        self._transport.resume_reading()
        self._on_free(self)

    def _fail(self, error: UpstreamUnavailable) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            _reject(exchange, error)
        self.close()

    def _until_close(self, exchange: Exchange) -> bool:
        names = {name.lower() for name, _ in exchange.headers}
        return b"content-length" not in names and b"transfer-encoding" not in names

    def _gone(self) -> UpstreamUnavailable:
        return UpstreamUnavailable(f"the connection to cluster {self._cluster} was lost")


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _reject(exchange: Exchange, error: Exception) -> None:
    for future in (exchange.head, exchange.done):
        if not future.done():
            future.set_exception(error)
            future.exception()  # seen: whoever awaits raises, nobody else is warned
