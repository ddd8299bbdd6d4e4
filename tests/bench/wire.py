"""A client of few words: one TLS connection, one GET, and an exec whose other end echoes."""

import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

POD = "/api/v1/namespaces/default/pods/web-0"
_EXEC = f"{POD}/exec?command=cat&stdin=true&stdout=true&tty=true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a client trusts, and the certificate that says who it is."""

    ca: Path
    certificate: Path
    key: Path


class Place(Protocol):
    """Where a client goes; stage.Party is one."""

    @property
    def url(self) -> str:
        """Return where the cluster's API begins."""
        ...

    @property
    def identity(self) -> Identity:
        """Return what to show there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A head that came, and how much of the body with it."""

    status: int
    rest: bytes

    @property
    def ok(self) -> bool:
        """Say whether it is a success."""
        return self.status == 200


def context(identity: Identity) -> ssl.SSLContext:
    """Return the TLS settings of a client; share them between connections."""
    made = ssl.create_default_context(cafile=str(identity.ca))
    made.load_cert_chain(identity.certificate, identity.key)
    return made


class Line:
    """One connection to a place; nothing is parsed that the bench does not ask for."""

    def __init__(self, place: Place, tls: ssl.SSLContext | None = None) -> None:
        url = urlsplit(place.url)
        assert url.hostname
        self._base, self._host = url.path, url.netloc
        plain = socket.create_connection((url.hostname, url.port or 443), timeout=20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = tls or context(place.identity)
        self.socket = tls.wrap_socket(plain, server_hostname=url.hostname)

    def get(self, path: str, *headers: str) -> Answer:
        """Ask, and return when the head is here."""
        lines = [f"GET {self._base}{path} HTTP/1.1", f"Host: {self._host}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise ConnectionResetError(f"closed after {received!r}")
            received += chunk
        head, _, rest = received.partition(b"\r\n\r\n")
        return Answer(status=int(head.split(b" ", 2)[1]), rest=rest)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def get(place: Place, path: str = POD) -> Answer:
    """Ask once over a connection of its own; 0 as status when nobody answers."""
    try:
        line = Line(place)
        try:
            return line.get(path)
        finally:
            line.close()
    except OSError:
        return Answer(status=0, rest=b"")


class Terminal:
    """An exec over WebSocket (v5.channel.k8s.io) with a command that echoes."""

    def __init__(self, place: Place) -> None:
        self._line = Line(place)
        answer = self._line.get(
            _EXEC,
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol: v5.channel.k8s.io",
        )
        assert answer.status == 101, answer

    def key(self) -> None:
        """Type one key and wait for its echo."""
        mask, message = os.urandom(4), b"\x00k"  # channel 0 is stdin
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(message))
        self._line.socket.sendall(bytes([0x82, 0x80 | len(message)]) + mask + masked)
        frame = b""
        while len(frame) < 4:
            chunk = self._line.socket.recv(64)
            if not chunk:
                raise ConnectionResetError("the exec ended")
            frame += chunk
        assert frame == b"\x82\x02\x01k", frame

    def close(self) -> None:
        """Hang up."""
        self._line.close()
