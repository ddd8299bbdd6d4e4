"""What the application may believe of a request: what the edge said, and nothing a client says.

The edge marks its requests with a secret of this process. Under any other server, or when a
request came around the edge, every `Plane-*` and `X-Forwarded-*` header is dropped.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]  # ASGI's own shapes: https://asgi.readthedocs.io
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class EdgeTrust:
    """ASGI middleware around the application; `secret` None: nobody is trusted."""

    def __init__(self, app: App, secret: str | None) -> None:
        self._app = app
        self._secret = secret.encode() if secret else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Clean the headers, then pass on."""
        if scope["type"] in ("http", "websocket"):
            scope = self._cleaned(scope)
        await self._app(scope, receive, send)

    def _cleaned(self, scope: Scope) -> Scope:
        headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        marks = [value for name, value in headers if name.lower() == b"plane-edge"]
        trusted = (
            self._secret is not None
            and len(marks) == 1
            and hmac.compare_digest(marks[0], self._secret)
        )
        if not trusted:
            return {**scope, "headers": [pair for pair in headers if not _is_ours(pair[0])]}
        told = {name.lower(): value.decode("latin-1") for name, value in headers}
        return {
            **scope,
            "scheme": told.get(b"x-forwarded-proto", "http"),
            "client": (told.get(b"plane-client-address", ""), 0),
            "headers": [pair for pair in headers if pair[0].lower() != b"plane-edge"],
        }


def _is_ours(name: bytes) -> bool:
    low = name.lower().replace(b"_", b"-")
    return low.startswith((b"plane-", b"x-forwarded-")) or low == b"forwarded"
