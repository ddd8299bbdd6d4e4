"""A cluster that speaks raw HTTP/1.1 and keeps exactly the bytes it got."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from plane.upstream.direct import Address, DirectDialer
from plane.upstream.pool import Pool


@dataclass
class Asked:
    """One request as the cluster read it."""

    head: bytes
    connection: int
    body: bytes = b""
    reader: asyncio.StreamReader = field(repr=False, default=None)
    writer: asyncio.StreamWriter = field(repr=False, default=None)

    @property
    def line(self):
        return self.head.split(b"\r\n")[0]

    @property
    def headers(self):
        pairs = [line.split(b":", 1) for line in self.head.split(b"\r\n")[1:-2]]
        return [(name, value.strip()) for name, value in pairs]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def impersonated(self):
        """The whole impersonation family, in wire order."""
        return [pair for pair in self.headers if pair[0].lower().startswith(b"impersonate")]


def answer(code=200, body=b"{}", *headers):
    lines = [b"HTTP/1.1 %d X" % code, *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


async def ok(asked):
    """Answer 200 with the target as body."""
    asked.writer.write(answer(200, asked.line))


class Cluster:
    """`script(asked)` answers a request; when it returns True the connection is closed."""

    def __init__(self, script=ok):
        self.script = script
        self.asked = []
        self.got = bytearray()
        self.connections = 0
        self._tasks = set()

    @contextlib.asynccontextmanager
    async def serving(self):
        loop = asyncio.get_running_loop()

        def protocol():
            reader = _Reader(self.got)
            return asyncio.StreamReaderProtocol(reader, self._accept)

        server = await loop.create_server(protocol, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    def pool(self, name="west", *, port=None, token="plane-own-token"):
        address = Address(
            cluster=name, host="127.0.0.1", port=port or self.port, tls=None, token=token
        )
        return Pool(DirectDialer(address))

    async def _accept(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        number = self.connections
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while not await self._serve(reader, writer, number):
                    await writer.drain()
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()

    async def _serve(self, reader, writer, number):
        head = await reader.readuntil(b"\r\n\r\n")
        asked = Asked(head=head, connection=number, reader=reader, writer=writer)
        if asked.all(b"transfer-encoding"):
            while size := int(await reader.readline(), 16):
                asked.body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        elif lengths := asked.all(b"content-length"):
            asked.body = await reader.readexactly(int(lengths[0]))
        self.asked.append(asked)
        return await self.script(asked)


class _Reader(asyncio.StreamReader):
    """Keeps what arrives, read or not."""

    def __init__(self, got):
        super().__init__()
        self._got = got

    def feed_data(self, data):
        self._got += data
        super().feed_data(data)
