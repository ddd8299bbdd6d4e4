"""The body of a request, pulled by whoever forwards it, so that a slow cluster slows the client."""

import asyncio
from collections.abc import Callable

from plane.errors import BadRequest

HIGH_WATER_BYTES = 64 * 1024
STALL_SECONDS = 60.0


class Body:
    """Chunks from the parser on one side, `read` on the other; a `RequestBody`."""

    __slots__ = ("_chunks", "_complete", "_error", "_on_want", "_size", "_wake", "discarding")

    def __init__(self, on_want: Callable[[], None]) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._complete = False
        self._error: Exception | None = None
        self._wake: asyncio.Future[None] | None = None
        self._on_want = on_want
        self.discarding = False

    @property
    def full(self) -> bool:
        """Whether the connection should stop reading."""
        return self._size > HIGH_WATER_BYTES

    @property
    def complete(self) -> bool:
        """Whether the last byte has come in."""
        return self._complete

    def feed(self, chunk: bytes) -> None:
        """A part came in."""
        if not self.discarding:
            self._chunks.append(chunk)
            self._size += len(chunk)
            self._ring()

    def finish(self) -> None:
        """The last part came in."""
        self._complete = True
        self._ring()

    def fail(self, error: Exception) -> None:
        """The client broke off."""
        self._error = error
        self._ring()

    def discard(self) -> None:
        """Nobody will read the rest."""
        self.discarding = True
        self._chunks.clear()
        self._size = 0

    async def read(self) -> bytes:
        """The next part or b"" at the end; BadRequest when it stalls or breaks off."""
        while True:
            if self._chunks:
                data = b"".join(self._chunks)
                self._chunks.clear()
                self._size = 0
                self._on_want()
                return data
            if self._error is not None:
                raise self._error
            if self._complete:
                return b""
            self._on_want()
            self._wake = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    await self._wake
            except TimeoutError:
                raise BadRequest("the request's body stopped coming") from None

    def _ring(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
