"""The cluster's leg of a splice: a TLS byte stream that outlives a failed write.

When a command ends while its stdin still flows, the API server sends the exit status and closes
with unread bytes, so the next write fails. An asyncio transport then drops everything at once, the
status in the receive buffer included, and kubectl reports "unexpected EOF" for a command that went
well (measured: 9 of 10). Here reading and writing are separate: a failed write only closes the
writing side, and reading goes on to the end. Hence a plain socket and `ssl.MemoryBIO`.
"""

import asyncio
import contextlib
import socket
import ssl

_CHUNK = 256 * 1024


class SpliceLeg:
    """A duplex stream over a non-blocking socket, TLS if given a context; a `Stream`."""

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext | None, name: str | None) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = (
            tls.wrap_bio(self._incoming, self._outgoing, server_hostname=name) if tls else None
        )
        self._sending = asyncio.Lock()
        self._write_dead = False
        self._closed = False

    def __repr__(self) -> str:
        state = "CLOSED" if self._closed else "HALF" if self._write_dead else "OPEN"
        return f"<SpliceLeg {state}>"

    @classmethod
    async def open(
        cls, host: str, port: int, *, tls: ssl.SSLContext | None, server_name: str | None
    ) -> "SpliceLeg":
        """Connect and shake hands; OSError or ssl.SSLError when that fails."""
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = infos[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
            leg = cls(sock, tls, server_name)
            await leg._handshake()
        except BaseException:
            sock.close()
            raise
        return leg

    async def read(self) -> bytes:
        """Some plain bytes, or b"" when the peer has closed or broken off."""
        if self._closed:
            return b""
        if self._tls is None:
            return await self._receive()
        while True:
            try:
                return self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                # A writer held up by a slow peer has the lock: waiting for it would stall both.
                if not self._sending.locked():
                    await self._send_pending()  # TLS may have something to say: a key update
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError:
                return b""  # broken records: nothing after them can be trusted
            raw = await self._receive()
            if raw:
                self._incoming.write(raw)
            else:
                self._incoming.write_eof()

    async def write(self, data: bytes) -> None:
        """Send all of `data`; after the first failure every write raises BrokenPipeError."""
        if self._write_dead or self._closed:
            raise BrokenPipeError
        if self._tls is not None:
            try:
                self._tls.write(data)
            except ssl.SSLError as error:
                self._write_dead = True
                raise BrokenPipeError from error
            await self._send_pending()
            if self._write_dead:
                raise BrokenPipeError
            return
        await self._send(data)
        if self._write_dead:
            raise BrokenPipeError

    async def write_eof(self) -> None:
        """Close the writing side; TLS says close_notify."""
        if self._write_dead or self._closed:
            return
        if self._tls is not None:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            await self._send_pending()
        self._write_dead = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket."""
        if not self._closed:
            self._closed = True
            self._sock.close()

    async def _handshake(self) -> None:
        while self._tls is not None:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._send_pending()
                raw = await self._receive()
                if not raw:
                    raise ConnectionResetError from None
                self._incoming.write(raw)
            else:
                break
        await self._send_pending()

    async def _receive(self) -> bytes:
        try:
            return await self._loop.sock_recv(self._sock, _CHUNK)
        except OSError:
            return b""  # a reset after the last byte is an end, too

    async def _send_pending(self) -> None:
        if self._outgoing.pending:
            async with self._sending:
                # Taken under the lock: TLS records must leave in the order they were made.
                await self._send_raw(self._outgoing.read())

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            await self._send_raw(data)

    async def _send_raw(self, data: bytes) -> None:
        if self._write_dead or not data:
            return
        try:
            await self._loop.sock_sendall(self._sock, data)
        except OSError:
            self._write_dead = True
