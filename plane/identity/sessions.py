"""The living sessions: in memory for every request, in the store for the next start.

A token is known only by its SHA-256, so neither the store nor a heap dump of it opens a door.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plane.clock import SYSTEM, Clock
from plane.errors import Conflict
from plane.identity.session import Identity, Session
from plane.store.base import Document, Store, Write

_KIND = "session"
# The prefix lets secret scanners find a leaked token.
_TOKEN_PREFIX = "plane_"  # noqa: S105 - a prefix, not a secret
_log = logging.getLogger(__name__)


class Sessions:
    """Start, find and end login sessions; finding is synchronous and touches memory only."""

    def __init__(self, store: Store, clock: Clock = SYSTEM) -> None:
        self._store = store
        self._clock = clock
        self._by_id: dict[str, Session] = {}
        self._by_digest: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._callbacks: list[Callable[[str], None]] = []

    def __repr__(self) -> str:
        return f"<Sessions live={len(self._by_id)}>"

    async def load(self) -> None:
        """Take up the sessions that a former run has left in the store."""
        for document in await self._store.all(_KIND):
            session = _from_body(document)
            if session.expires > self._clock.now():
                self._remember(session, document.body["token_sha256"])

    async def start(
        self, identity: Identity, *, ttl_seconds: float, client: str = ""
    ) -> tuple[Session, str]:
        """Begin a session; the token is returned once and kept only as a digest."""
        now = self._clock.now()
        session = Session(
            id=self._clock.uuid(),
            user=identity.user,
            connector=identity.connector,
            subject=identity.subject,
            traits=identity.traits,
            roles=identity.roles,
            created=now,
            expires=now + ttl_seconds,
            client=client,
        )
        token = _TOKEN_PREFIX + self._clock.token(32)
        digest = _digest(token)
        # Stored before it is known here: nobody gets a session that a restart would forget.
        await self._store.put(_write(session, digest, expected=0))
        self._remember(session, digest)
        return session, token

    def by_id(self, session_id: str) -> Session | None:
        """The live session of this id, or None when it ended or expired."""
        session = self._by_id.get(session_id)
        if session is None or session.expires <= self._clock.now():
            return None
        return session

    def by_token(self, token: str) -> Session | None:
        """The live session that this bearer token names, or None."""
        session_id = self._by_digest.get(_digest(token))
        return None if session_id is None else self.by_id(session_id)

    def all(self) -> list[Session]:
        """Every live session, oldest first."""
        now = self._clock.now()
        return [session for session in self._by_id.values() if session.expires > now]

    async def end(self, session_id: str) -> bool:
        """End a session now; False when there was none.

        Memory goes first, so that a slow or broken disk cannot keep a revoked session alive.
        """
        if self._forget(session_id) is None:
            return False
        self._announce(session_id)
        await self._store.delete(_KIND, session_id)
        return True

    async def end_for_user(self, user: str, *, connector: str | None = None) -> int:
        """End every session of `user` (of one connector, when given); the number of them."""
        mine = [s.id for s in self._of(user, connector)]
        for session_id in mine:
            await self.end(session_id)
        return len(mine)

    async def refresh(
        self, user: str, *, connector: str, roles: Sequence[str], traits: Mapping[str, Any]
    ) -> None:
        """Give the live sessions of a person their new roles and traits, effective at once."""
        for session in self._of(user, connector):
            changed = replace(session, roles=tuple(roles), traits=traits)
            if changed != session and session.id in self._by_id:
                self._by_id[session.id] = changed
                await self._save(changed)

    def on_end(self, callback: Callable[[str], None]) -> None:
        """Call `callback(session id)` whenever a session ends or expires; it must not block."""
        self._callbacks.append(callback)

    async def sweep(self) -> int:
        """End what has expired; the number of them. The store drops expired documents itself."""
        now = self._clock.now()
        expired = [s.id for s in self._by_id.values() if s.expires <= now]
        for session_id in expired:
            await self.end(session_id)
        return len(expired)

    async def keep_swept(self, *, every_seconds: float = 1.0) -> None:
        """Sweep for ever (run it with plane.tasks.spawn): open streams end within the period."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.sweep()
            except Exception:  # noqa: BLE001 - said in the next line
                # One failed write must not end the sweep; memory has already let the session go.
                _log.exception("an expired session could not be removed from the store")

    def _of(self, user: str, connector: str | None) -> list[Session]:
        return [
            session
            for session in self._by_id.values()
            if session.user == user and connector in (None, session.connector)
        ]

    def _remember(self, session: Session, digest: str) -> None:
        self._by_id[session.id] = session
        self._by_digest[digest] = session.id
        self._digests[session.id] = digest

    def _forget(self, session_id: str) -> Session | None:
        session = self._by_id.pop(session_id, None)
        digest = self._digests.pop(session_id, None)
        if digest is not None:
            self._by_digest.pop(digest, None)
        return session

    def _announce(self, session_id: str) -> None:
        for callback in self._callbacks:
            try:
                callback(session_id)
            except Exception:  # noqa: BLE001 - said in the next line
                # One listener's fault must not leave the others' streams open.
                _log.exception("a listener for ended sessions failed")

    async def _save(self, session: Session) -> None:
        stored = await self._store.get(_KIND, session.id)
        digest = self._digests.get(session.id)
        if stored is None or digest is None:
            return
        try:
            await self._store.put(_write(session, digest, expected=stored.revision))
        except Conflict:
            # Ended in between: writing it back would raise it from the dead.
            _log.info("session %s ended while it was refreshed", session.id)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _write(session: Session, digest: str, *, expected: int) -> Write:
    body = {
        "user": session.user,
        "connector": session.connector,
        "subject": session.subject,
        "traits": {name: list(values) for name, values in session.traits.items()},
        "roles": list(session.roles),
        "created": session.created,
        "expires": session.expires,
        "client": session.client,
        "token_sha256": digest,
    }
    return Write(kind=_KIND, name=session.id, body=body, expected=expected, expires=session.expires)


def _from_body(document: Document) -> Session:
    body = document.body
    return Session(
        id=document.name,
        user=body["user"],
        connector=body["connector"],
        subject=body["subject"],
        traits={name: tuple(values) for name, values in body["traits"].items()},
        roles=tuple(body["roles"]),
        created=body["created"],
        expires=body["expires"],
        client=body["client"],
    )
