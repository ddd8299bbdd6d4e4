"""Who is calling: a client certificate or a bearer token, both only name a live session."""

from typing import Protocol

from plane.errors import Forbidden, Unauthenticated
from plane.identity.session import Session
from plane.kube.headers import all_of, first
from plane.proxy.call import Call

_LOGIN = "log in again with: plane login"


class SessionSource(Protocol):
    """The live sessions; identity.sessions.Sessions is one."""

    def by_id(self, session_id: str) -> Session | None:
        """The live session of that id."""
        ...

    def by_token(self, token: str) -> Session | None:
        """The live session that the token opens."""
        ...


def authenticate(call: Call, sessions: SessionSource) -> Session:
    """The session of a call; Unauthenticated when there is none, or two that differ.

    Forbidden when a page of another site has a browser show its certificate.
    """
    token = _bearer(call)
    found: list[Session | None] = []
    if token is not None:
        found.append(sessions.by_token(token))
    if call.peer.session_id is not None:
        found.append(sessions.by_id(call.peer.session_id))
    if not found:
        raise Unauthenticated(f"no credential was sent; {_LOGIN}")
    session = found[0]
    if session is None or any(other is None or other.id != session.id for other in found):
        raise Unauthenticated(f"your session is unknown, has expired or was ended; {_LOGIN}")
    if token is None:
        _refuse_other_sites(call)
    return session


def _refuse_other_sites(call: Call) -> None:
    # A browser shows its client certificate whichever page asks, and a WebSocket (exec) or a POST
    # without a type needs no CORS preflight. Only browsers send Sec-Fetch-Site; for WebSockets
    # some send Origin alone.
    site = first(call.headers, b"sec-fetch-site") or b"none"
    origin, host = first(call.headers, b"origin"), first(call.headers, b"host")
    foreign = origin is not None and origin.partition(b"://")[2].lower() != (host or b"").lower()
    if foreign or site not in (b"none", b"same-origin"):
        raise Forbidden("this request was made by a page of another site")


def _bearer(call: Call) -> str | None:
    values = all_of(call.headers, b"authorization")
    if not values:
        return None
    scheme, _, token = values[0].partition(b" ")
    if len(values) > 1 or scheme.lower() != b"bearer" or not token.strip():
        raise Unauthenticated(f"the Authorization header is not one bearer token; {_LOGIN}")
    try:
        return token.strip().decode("ascii")
    except UnicodeDecodeError:
        raise Unauthenticated(f"the bearer token is not one of plane's; {_LOGIN}") from None
