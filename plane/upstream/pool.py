"""Keeps connections to one cluster for re-use, and gives up on answers that never come.

Choosing a connection is separate from opening one: `_take` only decides, the I/O comes after it.
"""

import asyncio
import time

from plane.errors import UpstreamTimeout, UpstreamUnavailable
from plane.upstream.base import Dialer, Headers, RequestBody, Stream
from plane.upstream.http1 import Connection, Exchange

MAX_IDLE = 32
IDLE_SECONDS = 30.0  # below the 90 s after which Go servers close, so races are rare
HEAD_SECONDS = 75.0  # the API server itself ends ordinary requests after 60 s


class Pool:
    """HTTP/1.1 exchanges with one cluster over connections that `dialer` opens."""

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._idle: list[Connection] = []
        self._waiting: set[tuple[float, Exchange]] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<Pool {self._dialer.name} idle={len(self._idle)} waiting={len(self._waiting)}>"

    @property
    def dialer(self) -> Dialer:
        """How the cluster is reached."""
        return self._dialer

    async def send(
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        body: RequestBody | None,
        *,
        length: int | None,
        deadline: bool,
    ) -> Exchange:
        """Send a request and return when the answer's head is in.

        `length` is the body's Content-Length; None with a body: chunked. `deadline`: give up after
        HEAD_SECONDS (not for watches and logs, whose head may wait for the first event).
        """
        framing = _framing(body, length)
        head = self._head(method, target, [*headers, *framing])
        connection = self._take()
        fresh = connection is None
        if connection is None:
            connection = await self._open()
        try:
            return await self._run(connection, method, head, body, length=length, deadline=deadline)
        except UpstreamUnavailable:
            # An idle connection may close as we write. Only a request that has no body and changes
            # nothing is sent again, once, and on a fresh connection.
            if fresh or body is not None or method not in (b"GET", b"HEAD"):
                raise
        connection = await self._open()
        return await self._run(connection, method, head, None, length=length, deadline=deadline)

    async def dial(self) -> Stream:
        """A connection of its own for a splice."""
        return await self._dialer.dial()

    def close(self) -> None:
        """Close idle connections and stop the timer; exchanges under way go on."""
        self._closed = True
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def _head(self, method: bytes, target: bytes, headers: Headers) -> bytes:
        lines = [b"%b %b HTTP/1.1\r\n" % (method, target)]
        lines += [b"%b: %b\r\n" % pair for pair in self._dialer.identity()]
        lines += [b"%b: %b\r\n" % pair for pair in headers]
        lines.append(b"\r\n")
        return b"".join(lines)

    def _take(self) -> Connection | None:
        horizon = time.monotonic() - IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and connection.idle_since > horizon:
                return connection
            connection.close()
        return None

    async def _open(self) -> Connection:
        connection = Connection(self._dialer.name, self._freed)
        await self._dialer.connect(lambda: connection)
        return connection

    async def _run(
        self,
        connection: Connection,
        method: bytes,
        head: bytes,
        body: RequestBody | None,
        *,
        length: int | None,
        deadline: bool,
    ) -> Exchange:
        exchange = connection.start(method, time.monotonic())
        entry = (time.monotonic() + HEAD_SECONDS, exchange)
        if deadline:
            self._waiting.add(entry)
            self._arm()
        try:
            connection.write(head)
            if body is not None:
                await _send_body(connection, exchange, body, chunked=length is None)
            await exchange.head
        except BaseException:
            # Half a request must never be followed by another one on the same connection.
            connection.close()
            raise
        finally:
            self._waiting.discard(entry)
        return exchange

    def _freed(self, connection: Connection) -> None:
        if connection.closed or self._closed or len(self._idle) >= MAX_IDLE:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        self._arm()

    def _arm(self) -> None:
        if self._sweeper is None and not self._closed:
            self._sweeper = asyncio.get_running_loop().call_later(1.0, self._sweep)

    def _sweep(self) -> None:
        """One timer for all exchanges: a timer per request costs more than its parsing."""
        self._sweeper = None
        now = time.monotonic()
        for deadline, exchange in [entry for entry in self._waiting if entry[0] < now]:
            self._waiting.discard((deadline, exchange))
            if not exchange.head.done():
                message = f"cluster {self._dialer.name} did not answer within {HEAD_SECONDS:.0f} s"
                exchange.head.set_exception(UpstreamTimeout(message))
        old = [item for item in self._idle if item.closed or item.idle_since < now - IDLE_SECONDS]
        for connection in old:
            self._idle.remove(connection)
            connection.close()
        if self._waiting or self._idle:
            self._arm()


def _framing(body: RequestBody | None, length: int | None) -> Headers:
    if length is not None:
        return [(b"Content-Length", b"%d" % length)]
    return [(b"Transfer-Encoding", b"chunked")] if body is not None else []


async def _send_body(
    connection: Connection, exchange: Exchange, body: RequestBody, *, chunked: bool
) -> None:
    connection.sending = True
    while chunk := await body.read():
        if exchange.head.done():
            return  # answered early (a refusal, mostly): the rest is not wanted
        connection.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
        await connection.drain()
    if chunked:
        connection.write(b"0\r\n\r\n")
    connection.sending = False
