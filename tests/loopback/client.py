"""A client of raw bytes over a loopback socket."""

import asyncio
import contextlib
import json
from dataclasses import dataclass


@dataclass
class Answered:
    code: int
    headers: list
    body: bytes

    def first(self, name):
        return next((value for key, value in self.headers if key == name), None)

    @property
    def status(self):
        """The Status that a refusal is; the HTTP code and its own are one."""
        found = json.loads(self.body)
        assert (found["kind"], found["apiVersion"], found["status"]) == ("Status", "v1", "Failure")
        assert found["code"] == self.code
        assert self.first(b"audit-id").decode() in found["message"]
        return found


def request(target="/api/v1/pods", *lines, method="GET", token=None, cluster="west", body=None):
    """The bytes of a request; `lines` are header lines as they stand."""
    head = [f"{method} /k8s/clusters/{cluster}{target} HTTP/1.1".encode(), b"Host: plane"]
    if token is not None:
        head.append(b"Authorization: Bearer " + token.encode())
    head += lines
    if body is not None:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*head, b"", body or b""])


class Client:
    """One connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def ask(self, data):
        self.writer.write(data)
        return await self.answered()

    async def head(self):
        async with asyncio.timeout(10):
            head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")[:-2]
        pairs = [line.split(b":", 1) for line in lines[1:]]
        headers = [(name.lower(), value.strip()) for name, value in pairs]
        return Answered(code=int(lines[0].split()[1]), headers=headers, body=b"")

    async def answered(self):
        found = await self.head()
        async with asyncio.timeout(10):
            if found.first(b"transfer-encoding"):
                while chunk := await self.chunk():
                    found.body += chunk
            elif length := found.first(b"content-length"):
                found.body = await self.reader.readexactly(int(length))
        return found

    async def chunk(self):
        """One chunk of a chunked body; b"" at its orderly end."""
        async with asyncio.timeout(10):
            size = int(await self.reader.readline(), 16)
            data = await self.reader.readexactly(size + 2)
        return data[:-2]

    async def rest(self):
        """Everything until the server closes."""
        async with asyncio.timeout(10):
            return await self.reader.read()


@contextlib.asynccontextmanager
async def connected(port, tls=None):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
