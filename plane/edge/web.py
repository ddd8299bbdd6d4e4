"""What is not for a cluster goes to Hypercorn and Quart, over a unix socket in a 0700 folder.

Quart trusts the headers set here and nothing else about a client; they are stripped from what the
client sent, and carry a secret of this process, so that nobody else can set them.
"""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

from plane.errors import BadRequest, PlaneError, UpstreamUnavailable
from plane.kube.status import status
from plane.proxy.call import Call
from plane.proxy.relay import relay
from plane.upstream.base import Headers, Stream
from plane.upstream.pool import Pool

_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade"}
    | {b"transfer-encoding", b"content-length", b"expect", b"proxy-authorization"}
)
_OURS = (b"plane-", b"x-forwarded-")


class UnixDialer:
    """Dials the web application's socket; a `Dialer`."""

    name = "web"

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def identity(self) -> Headers:
        """Nothing of its own: the client's Host is kept."""
        return []

    async def connect(self, factory: Callable[[], asyncio.Protocol]) -> asyncio.Transport:
        """Open a connection."""
        try:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_unix_connection(factory, self._path)
        except OSError as error:
            message = "plane's web application is not up; try again in a moment"
            raise UpstreamUnavailable(message, detail=str(error)) from error
        return transport

    async def dial(self) -> Stream:
        """Nothing upgrades on the web side yet."""
        raise BadRequest("this address does not upgrade")


class WebForwarder:
    """Forwards a call to the web application."""

    def __init__(self, socket_path: Path) -> None:
        self._pool = Pool(UnixDialer(socket_path))
        self.secret = secrets.token_urlsafe(32)

    def close(self) -> None:
        """Close idle connections."""
        self._pool.close()

    async def serve(self, call: Call) -> None:
        """Forward and answer; faults become a Status."""
        try:
            await self._forward(call)
        except PlaneError as error:
            if call.reply.started:
                call.reply.abort()
                return
            body = status(code=error.status, reason=error.reason, message=error.message)
            call.reply.head(
                error.status, [(b"Content-Type", b"application/json")], length=len(body)
            )
            call.reply.data(body)
            call.reply.end()

    async def _forward(self, call: Call) -> None:
        exchange = await self._pool.send(
            call.method.encode(),
            call.target,
            self._headers(call),
            call.body,
            length=call.length if call.body is not None or call.method != "GET" else None,
            deadline=False,
        )
        try:
            await relay(exchange, call.reply, headers=_answer_headers(exchange.headers))
        except BaseException:
            exchange.abort()
            raise
        finally:
            exchange.detach()

    def _headers(self, call: Call) -> Headers:
        named = {
            token.strip().lower()
            for name, value in call.headers
            if name.lower() == b"connection"
            for token in value.split(b",")
        }
        kept: Headers = []
        for name, value in call.headers:
            low = name.lower().replace(b"_", b"-")
            if low in named or low in _HOP_BY_HOP or low == b"forwarded" or low.startswith(_OURS):
                continue
            kept.append((name, value))
        kept.append((b"Plane-Edge", self.secret.encode()))
        kept.append((b"Plane-Client-Address", call.peer.address.encode()))
        kept.append((b"X-Forwarded-Proto", b"https" if call.peer.secure else b"http"))
        if call.peer.session_id:
            kept.append((b"Plane-Session", call.peer.session_id.encode()))
        return kept


def _answer_headers(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP]
