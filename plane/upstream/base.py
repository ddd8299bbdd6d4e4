"""What the proxy sees of a cluster, however it is reached.

Every way of reaching one implements `Dialer`; the pool and the exchange work on any of them, so
the same code runs over direct TLS, a tunnel and test doubles.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

Headers = list[tuple[bytes, bytes]]


class Stream(Protocol):
    """A duplex byte stream for a splice: after a failed write it can still be read to its end."""

    async def read(self) -> bytes:
        """Some bytes, or b"" at the end of what the peer sent."""
        ...

    async def write(self, data: bytes) -> None:
        """Send all of `data`; OSError when the peer no longer takes any."""
        ...

    async def write_eof(self) -> None:
        """Say that nothing more will be written."""
        ...

    def close(self) -> None:
        """Let go of the connection at once."""
        ...


class Dialer(Protocol):
    """Opens connections to one cluster and knows the credential that plane itself presents."""

    @property
    def name(self) -> str:
        """The cluster's name, for messages."""
        ...

    def identity(self) -> Headers:
        """`Host`, and `Authorization` where the credential is a token; read at each request."""
        ...

    async def connect(self, factory: Callable[[], asyncio.Protocol]) -> asyncio.Transport:
        """A fresh connection that `factory`'s protocol reads; UpstreamUnavailable when down."""
        ...

    async def dial(self) -> Stream:
        """A fresh connection for a splice; UpstreamUnavailable when down."""
        ...


class RequestBody(Protocol):
    """What the client still has to send; pulled, so that a slow cluster slows the client."""

    async def read(self) -> bytes:
        """The next part, or b"" at the end."""
        ...


class Sink(Protocol):
    """Where an answer's body goes; `data` may be called from a protocol callback."""

    def data(self, chunk: bytes) -> None:
        """Take a part of the body."""
        ...

    @property
    def full(self) -> bool:
        """True when the reader is slow: stop reading from the cluster until `on_room`."""
        ...

    def on_room(self, callback: Callable[[], None] | None) -> None:
        """Call back once there is room again (None: no longer)."""
        ...
