"""One request as the pipeline sees it, and the doors through which it is answered.

The edge builds calls from sockets and web/kube.py from ASGI; the pipeline does not know which.
"""

from dataclasses import dataclass, field
from typing import Protocol

from plane.upstream.base import Headers, RequestBody, Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is connected: address, and the session that a verified client certificate names."""

    address: str
    session_id: str | None = None
    secure: bool = True


class ClientStream(Protocol):
    """The client's side of a splice, after the 101."""

    async def read(self) -> bytes:
        """Some bytes, or b"" when the client has gone."""
        ...

    async def write(self, data: bytes) -> None:
        """Send, at the client's pace; OSError when it has gone."""
        ...

    def cut(self) -> None:
        """Break the connection off, so that what was sent cannot look whole."""
        ...

    async def linger(self) -> None:
        """Close after our last bytes had time to arrive, discarding what still comes in."""
        ...


class Reply(Sink, Protocol):
    """How a call is answered; one `head`, any number of `data`, one `end`."""

    @property
    def started(self) -> bool:
        """Whether a head has been sent."""
        ...

    def head(self, status: int, headers: Headers, *, length: int | None) -> None:
        """Send the head; `length` None means the body's end is not known yet."""
        ...

    def flush(self) -> None:
        """Send the head now, though no body has come yet."""
        ...

    def end(self) -> None:
        """The body is whole."""
        ...

    def abort(self) -> None:
        """Break off: the answer cannot be made whole and must not look as if it were."""
        ...

    async def upgrade(self, headers: Headers) -> ClientStream:
        """Send 101 with `headers` and hand over the byte stream."""
        ...


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. `target` is as received; `length` is the declared body length, if declared."""

    method: str
    target: bytes
    headers: Headers
    peer: Peer
    reply: Reply
    body: RequestBody | None = None
    length: int | None = None
    upgrade: str = ""
    received: float = 0.0
    audit_id: str = ""
    notes: dict[str, object] = field(default_factory=dict)
