"""The client's connection as a plain byte stream, after a 101."""

import asyncio
import contextlib
from typing import Protocol

_HIGH_WATER_BYTES = 256 * 1024
_LINGER_SECONDS = 1.0


class RawWire(Protocol):
    """What the stream needs of its connection."""

    def put(self, data: bytes) -> None:
        """Write bytes."""
        ...

    def finish(self) -> None:
        """Close once everything written has left."""
        ...

    def drop(self) -> None:
        """Cut the connection."""
        ...

    def reading(self, *, on: bool) -> None:
        """Pause or resume reading."""
        ...

    async def writable(self) -> None:
        """Wait until the client reads again; OSError when it has gone."""
        ...


class RawStream:
    """A `ClientStream`: bounded buffer inwards, the transport's own pace outwards."""

    __slots__ = ("_chunks", "_gone", "_size", "_wake", "_wire")

    def __init__(self, wire: RawWire) -> None:
        self._wire = wire
        self._chunks: list[bytes] = []
        self._size = 0
        self._gone = False
        self._wake: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        """Bytes came in."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size > _HIGH_WATER_BYTES:
            self._wire.reading(on=False)
        self._ring()

    def lost(self) -> None:
        """The client has gone."""
        self._gone = True
        self._ring()

    async def read(self) -> bytes:
        """Some bytes, or b"" when the client has gone and everything it sent was read."""
        while not self._chunks:
            if self._gone:
                return b""
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        if self._size > _HIGH_WATER_BYTES:
            self._wire.reading(on=True)
        self._size = 0
        return data

    async def write(self, data: bytes) -> None:
        """Send at the client's pace; ConnectionResetError when it has gone."""
        if self._gone:
            raise ConnectionResetError
        self._wire.put(data)
        await self._wire.writable()

    def cut(self) -> None:
        """Break the connection off."""
        self._wire.drop()

    async def linger(self) -> None:
        """Close, but read on for a moment: an early close resets and can lose our last bytes."""
        if not self._gone:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_SECONDS):
                    while await self.read():
                        pass
        self._wire.finish()

    def _ring(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        self._wake = None
