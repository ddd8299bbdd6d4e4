"""Listening sockets, the sweep of deadlines, and an orderly end."""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable

from plane.edge.connection import ClientConnection, Serve
from plane.proxy.call import Peer

_log = logging.getLogger(__name__)

MAX_CONNECTIONS = 20_000  # a security limit: beyond it new ones are closed at once
_HANDSHAKE_SECONDS = 10.0
_BACKLOG = 1024


class Listener:
    """Accepts clients on one or more addresses and keeps track of their connections."""

    def __init__(self, serve: Serve, identify: Callable[[asyncio.BaseTransport], Peer]) -> None:
        self._serve = serve
        self._identify = identify
        self._servers: list[asyncio.Server] = []
        self._connections: set[ClientConnection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event | None = None

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; returns the port (of interest when 0 was asked for)."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self._accept,
            host,
            port,
            ssl=tls,
            backlog=_BACKLOG,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS if tls else None,
        )
        self._servers.append(server)
        if self._sweeper is None:
            self._sweep()
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def close(self, *, grace_seconds: float) -> None:
        """Accept no more, let requests under way finish within the grace, then cut the rest."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.draining = True
            if connection.idle:
                connection.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._emptied()
        for connection in list(self._connections):
            connection.drop()
        if self._sweeper is not None:
            self._sweeper.cancel()

    async def _emptied(self) -> None:
        self._empty = asyncio.Event()
        if self._connections:
            await self._empty.wait()

    def _accept(self) -> ClientConnection:
        connection = _Tracked(self._serve, self._identify, self._connections)
        connection.on_lost = self._lost
        return connection

    def _lost(self, connection: ClientConnection) -> None:
        self._connections.discard(connection)
        if self._empty is not None and not self._connections:
            self._empty.set()

    def _sweep(self) -> None:
        """One timer for all connections: slow heads, idle keep-alives, refused bodies."""
        now = time.monotonic()
        for connection in [c for c in self._connections if c.deadline and c.deadline < now]:
            connection.finish() if connection.idle else connection.drop()
        self._sweeper = asyncio.get_running_loop().call_later(1.0, self._sweep)


class _Tracked(ClientConnection):
    """A connection that enters the set when it is made, and is refused when the set is full."""

    def __init__(
        self,
        serve: Serve,
        identify: Callable[[asyncio.BaseTransport], Peer],
        connections: set[ClientConnection],
    ) -> None:
        super().__init__(serve, identify)
        self._all = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join, or close when there are too many."""
        if len(self._all) >= MAX_CONNECTIONS:
            _log.warning("too many connections; closing a new one")
            transport.close()
            return
        self._all.add(self)
        _keep_alive(transport)
        super().connection_made(transport)


def _keep_alive(transport: asyncio.BaseTransport) -> None:
    """Let the kernel notice clients that vanished without a word within about two minutes."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
