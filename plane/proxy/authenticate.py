"""Who is calling: a client certificate or a bearer token, both only name a live session."""

from typing import Protocol

from plane.errors import Unauthenticated
from plane.identity.session import Session
from plane.kube.headers import all_of
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
    """The session of a call; Unauthenticated when there is none, or two that differ."""
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
    return session


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
