"""What identity writes into the audit log: logins and refusals, ends, invites, certificates.

Never a token, a code or a password; what an outsider typed as a user name is cut short.
"""

import hashlib
import json
from collections.abc import Callable, Mapping

from plane.audit.events import Actor, Event, EventType, Outcome
from plane.clock import SYSTEM, Clock
from plane.errors import PlaneError
from plane.identity.session import Client, Session
from policies.model import Traits

Emit = Callable[[Event], object]
_MAX_TEXT = 256


def traits_digest(traits: Traits) -> str:
    """`sha256:<hex>` of the traits as sorted JSON, empty when there are none."""
    if not traits:
        return ""
    text = json.dumps({name: list(values) for name, values in traits.items()}, sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def actor_of(session: Session) -> Actor:
    """The session's owner in the words of the audit log."""
    return Actor(
        username=session.user,
        connector=session.connector,
        subject=session.subject,
        session=session.id,
        roles=session.roles,
        traits_digest=traits_digest(session.traits),
    )


class Journal:
    """Writes identity's events through `emit`, which raises when evidence cannot be kept."""

    def __init__(self, emit: Emit, clock: Clock = SYSTEM) -> None:
        self._emit = emit
        self._clock = clock

    def login(self, session: Session, client: Client) -> None:
        """Somebody came in."""
        details = {"traits": {name: list(values) for name, values in session.traits.items()}}
        self._write(EventType.USER_LOGIN, actor_of(session), client, details=details)

    def login_refused(
        self, user: str, connector: str, client: Client, *, error: PlaneError
    ) -> None:
        """Somebody did not; `user` is what they typed, or empty."""
        actor = Actor(username=user[:_MAX_TEXT], connector=connector[:_MAX_TEXT])
        self._write(EventType.USER_LOGIN, actor, client, error=error)

    def logout(self, session: Session, client: Client) -> None:
        """Somebody ended their session."""
        self._write(EventType.USER_LOGOUT, actor_of(session), client)

    def invite(
        self, by: Session | None, user: str, client: Client, *, details: Mapping[str, object]
    ) -> None:
        """A link is made that lets `user` set a password; `by` None: plane itself, at start."""
        actor = actor_of(by) if by else Actor(username="plane")
        self._write(EventType.USER_INVITE, actor, client, details={"invited": user, **details})

    def password(self, user: str, client: Client, *, error: PlaneError | None = None) -> None:
        """A link was used to set a password, or was not good any more."""
        actor = Actor(username=user[:_MAX_TEXT], connector="local", subject=user[:_MAX_TEXT])
        self._write(EventType.USER_PASSWORD, actor, client, error=error)

    def certificate(self, session: Session, client: Client) -> None:
        """A client certificate was signed for a session."""
        details = {"expires": session.expires}
        self._write(EventType.CERTIFICATE_CREATE, actor_of(session), client, details=details)

    def _write(
        self,
        kind: EventType,
        actor: Actor,
        client: Client,
        *,
        details: Mapping[str, object] | None = None,
        error: PlaneError | None = None,
    ) -> None:
        now = self._clock.now()
        # The detail is for the admin who asks why somebody cannot log in.
        why = {"detail": error.detail} if error and error.detail else {}
        outcome = Outcome(code=200)
        if error is not None:
            outcome = Outcome(code=error.status, reason=error.reason, message=error.message)
        self._emit(
            Event(
                type=kind,
                audit_id=self._clock.uuid(),
                time=now,
                received=now,
                actor=actor,
                source_ip=client.address,
                user_agent=client.agent[:_MAX_TEXT],
                outcome=outcome,
                details={**(details or {}), **why},
            )
        )
