"""Plays a session of tests/corpus: the same bytes in the same order, on both sides of a gate."""

import asyncio
import base64
import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from loopback.client import request
from loopback.cluster import answer

FOLDER = Path(__file__).parents[1] / "corpus"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ACCEPT = base64.b64encode(hashlib.sha1(KEY + GUID).digest())


@dataclass
class Talk:
    """One recorded session; `chunks` are (side, bytes) with side "c" or "s"."""

    subresource: str
    query: list
    request_headers: list
    response_headers: list
    exit_code: int | None
    chunks: list

    @property
    def websocket(self):
        return ("Upgrade", "websocket") in [tuple(pair) for pair in self.request_headers]

    def said(self, side):
        return b"".join(data for who, data in self.chunks if who == side)

    def request(self, token, *lines, **options):
        method = "GET" if self.websocket else "POST"
        target = f"/api/v1/namespaces/default/pods/p/{self.subresource}?{urlencode([tuple(pair) for pair in self.query])}"
        sent = [b"Connection: Upgrade", *_lines(self.request_headers), *lines]
        if self.websocket:
            sent += [b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: " + KEY]
        return request(target, *sent, method=method, token=token, **options)

    def switching(self):
        """The cluster's 101."""
        sent = [b"Connection: Upgrade", *_lines(self.response_headers)]
        if self.websocket:
            sent.append(b"Sec-WebSocket-Accept: " + ACCEPT)
        return b"\r\n".join([b"HTTP/1.1 101 Switching Protocols", *sent, b"", b""])

    async def cluster(self, asked):
        """A script for the cluster: say its part, listen to the client's, then close."""
        asked.writer.write(self.switching())
        await play(self.chunks, "s", asked.reader, asked.writer)
        return True

    async def client(self, client, token, *lines, chunks=None):
        """The client's part; the head of the answer and all that came after it."""
        client.writer.write(self.request(token, *lines))
        head = await client.head()
        if head.code != 101:
            return head, b""
        chunks = self.chunks if chunks is None else chunks
        got = await play(chunks, "c", client.reader, client.writer)
        return head, got + await client.rest()


def load(name):
    found = json.loads((FOLDER / f"{name}.json").read_text())
    found["chunks"] = [(side, base64.b64decode(data)) for side, data in found["chunks"]]
    return Talk(**found)


async def play(chunks, side, reader, writer):
    """Send the chunks of `side`, wait for those of the other; what the other said."""
    got = bytearray()
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        async with asyncio.timeout(20):
            for who, data in chunks:
                if who == side:
                    writer.write(data)
                    await writer.drain()
                else:
                    got += await reader.readexactly(len(data))
    return bytes(got)


async def refusing(asked):
    """A cluster that has the Kubernetes answer to every upgrade: 403."""
    asked.writer.write(answer(403, b'{"kind":"Status","message":"no"}'))


def _lines(headers):
    return [f"{name}: {value}".encode() for name, value in headers]
