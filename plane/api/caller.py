"""Who calls the API: a bearer token, or the certificate's session that the edge vouches for."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from quart import Request

from plane.errors import Forbidden, Unauthenticated
from plane.identity.session import Client, Session

_MAX_AGENT = 256
_LOGIN = "log in with: plane login"


class LiveSessions(Protocol):
    """identity.sessions.Sessions."""

    def by_id(self, session_id: str) -> Session | None:
        """The live session of that id."""
        ...

    def by_token(self, token: str) -> Session | None:
        """The live session that the token opens."""
        ...


def caller_of(sessions: LiveSessions) -> Callable[[Request], Awaitable[Session]]:
    """A function that finds the caller's session; Unauthenticated when there is none."""

    async def caller(request: Request) -> Session:
        _refuse_other_sites(request)
        found: list[Session | None] = []
        for given in request.headers.getlist("Authorization"):
            scheme, _, token = given.partition(" ")
            found.append(sessions.by_token(token.strip()) if scheme.lower() == "bearer" else None)
        # web.trust has dropped this header unless the edge itself set it.
        named = request.headers.get("Plane-Session")
        if named:
            found.append(sessions.by_id(named))
        session = found[0] if found else None
        if session is None or any(other is None or other.id != session.id for other in found):
            raise Unauthenticated(f"you are not logged in, or not any more; {_LOGIN}")
        return session

    return caller


def _refuse_other_sites(request: Request) -> None:
    # A browser that holds a client certificate shows it to us whichever page makes it ask
    # (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/).
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method not in ("GET", "HEAD") and site not in ("none", "same-origin"):
        raise Forbidden("this request was made by a page of another site")


def client_of(request: Request) -> Client:
    """Where a request comes from, as the edge said it."""
    agent = request.headers.get("User-Agent", "")[:_MAX_AGENT]
    return Client(address=request.remote_addr or "", agent=agent)
