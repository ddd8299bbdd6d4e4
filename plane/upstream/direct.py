"""A cluster reached at its own address over TLS, with plane's credential for it."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from plane.errors import UpstreamUnavailable
from plane.upstream.base import Headers, Stream
from plane.upstream.splice_leg import SpliceLeg

CONNECT_SECONDS = 4.0  # a cluster that is down is named within 5 s
_TOKEN_SECONDS = 60.0  # bound service account tokens are rewritten in place; read them again


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a cluster listens and how it is trusted; `tls` holds CA and client certificate."""

    cluster: str
    host: str
    port: int
    tls: ssl.SSLContext | None
    server_name: str | None = None
    token: str = field(default="", repr=False)
    token_file: Path | None = None


class DirectDialer:
    """Dials one cluster's API server; a `Dialer`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._identity: Headers = []
        self._read_at = 0.0

    def __repr__(self) -> str:
        return f"<DirectDialer {self._address.cluster} {self._address.host}:{self._address.port}>"

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self._address.cluster

    def identity(self) -> Headers:
        """`Host` and, where plane uses a token, `Authorization`."""
        if self._identity and time.monotonic() - self._read_at < _TOKEN_SECONDS:
            return self._identity
        address = self._address
        host = f"[{address.host}]" if ":" in address.host else address.host
        identity = [(b"Host", f"{host}:{address.port}".encode())]
        token = self._token()
        if token:
            identity.append((b"Authorization", b"Bearer " + token.encode()))
        self._identity, self._read_at = identity, time.monotonic()
        return identity

    async def connect(self, factory: Callable[[], asyncio.Protocol]) -> asyncio.Transport:
        """Open a TLS connection that the protocol reads; named UpstreamUnavailable when down."""
        address = self._address
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport, _ = await asyncio.get_running_loop().create_connection(
                    factory,
                    address.host,
                    address.port,
                    ssl=address.tls,
                    server_hostname=self._server_name() if address.tls else None,
                )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            raise self._down(error) from error
        return transport

    async def dial(self) -> Stream:
        """Open a connection for a splice."""
        address = self._address
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await SpliceLeg.open(
                    address.host, address.port, tls=address.tls, server_name=self._server_name()
                )
        except (OSError, TimeoutError, ssl.SSLError) as error:
            raise self._down(error) from error

    def _server_name(self) -> str:
        return self._address.server_name or self._address.host

    def _token(self) -> str:
        if self._address.token_file is None:
            return self._address.token
        try:
            return self._address.token_file.read_text().strip()
        except OSError as error:
            message = f"plane's token for cluster {self._address.cluster} cannot be read"
            raise UpstreamUnavailable(message, detail=str(error)) from error

    def _down(self, error: Exception) -> UpstreamUnavailable:
        why = _why(error)
        message = f"cluster {self._address.cluster} cannot be reached ({why}); try again later"
        return UpstreamUnavailable(message, detail=repr(error))


def _why(error: Exception) -> str:
    """A reason without addresses: the client need not learn where the cluster lives."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return "no connection"
