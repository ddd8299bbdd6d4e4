"""From a proven identity to a session, its token and its certificate; the one place that issues."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from plane.clock import SYSTEM, Clock
from plane.errors import Forbidden
from plane.identity.certificates import UserCA
from plane.identity.csr import requested_key
from plane.identity.journal import Journal
from plane.identity.session import Client, Identity, Session
from plane.identity.sessions import Sessions
from policies.model import Role
from policies.options import merge


class Policies(Protocol):
    """The living roles; resources.policies.LivePolicies is one."""

    def roles(self, names: Iterable[str]) -> tuple[Role, ...]:
        """The roles of these names; Forbidden when one is missing or broken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the client asks for: a certificate for its key (CSR, PEM), or a shorter session."""

    csr: str = ""
    ttl_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What the client gets, once; `certificate` is PEM, or empty when no key was sent."""

    session: Session
    token: str = field(repr=False)
    certificate: str = ""


class Credentials:
    """Issues sessions and certificates, and ends sessions, each with its line of audit."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        authority: UserCA,
        policies: Policies,
        journal: Journal,
        ttl_seconds: float,
        clock: Clock = SYSTEM,
    ) -> None:
        self._sessions = sessions
        self._authority = authority
        self._policies = policies
        self._journal = journal
        self._ttl_seconds = ttl_seconds
        self._clock = clock

    async def issue(self, identity: Identity, wanted: Wanted, client: Client) -> Issued:
        """Start a session; Forbidden when there is no role, BadRequest when the key is weak."""
        ttl_seconds = self.ttl_seconds(identity)
        if wanted.ttl_seconds is not None:
            ttl_seconds = min(ttl_seconds, wanted.ttl_seconds)
        if wanted.csr:
            requested_key(wanted.csr)
        session, token = await self._sessions.start(
            identity, ttl_seconds=ttl_seconds, client=client.address
        )
        try:
            certificate = self._authority.sign(wanted.csr, session) if wanted.csr else ""
            self._journal.login(session, client)
        except BaseException:
            # No evidence, no session.
            await self._sessions.end(session.id)
            raise
        return Issued(session=session, token=token, certificate=certificate)

    def ttl_seconds(self, identity: Identity) -> float:
        """How long this person may stay; Forbidden when no role lets them in."""
        if not identity.roles:
            raise Forbidden(
                "You have no role here. Ask your administrator to give you one.",
                detail=f"{identity.connector} maps nothing of {sorted(identity.traits)} to a role",
            )
        options = merge(self._policies.roles(identity.roles))
        return min(self._ttl_seconds, options.max_session_ttl_seconds)

    def certificate(self, session: Session, *, csr: str, client: Client) -> str:
        """A further certificate (PEM) for a live session."""
        pem = self._authority.sign(csr, session)
        self._journal.certificate(session, client)
        return pem

    async def end(self, session: Session, client: Client) -> None:
        """Log out; audit is written even when the session is gone in the meantime."""
        try:
            await self._sessions.end(session.id)
        finally:
            self._journal.logout(session, client)
