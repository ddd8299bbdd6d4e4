"""Invite links: one user, one use, some hours; the store knows only their SHA-256."""

import hashlib

from plane.clock import SYSTEM, Clock
from plane.errors import NotFound
from plane.store.base import Document, Store, Write

_KIND = "invite"
DEFAULT_TTL_SECONDS = 24 * 3600.0


class Invites:
    """Make, look at and redeem the links by which people set their password."""

    def __init__(
        self, store: Store, *, ttl_seconds: float = DEFAULT_TTL_SECONDS, clock: Clock = SYSTEM
    ) -> None:
        self._store = store
        self._ttl_seconds = ttl_seconds
        self._clock = clock

    async def create(self, user: str) -> tuple[str, float]:
        """A link's token and its end (epoch seconds); earlier links of the user end now."""
        await self.withdraw(user)
        token = self._clock.token(32)
        expires = self._clock.now() + self._ttl_seconds
        await self._store.put(
            Write(kind=_KIND, name=_digest(token), body={"user": user}, expected=0, expires=expires)
        )
        return token, expires

    async def withdraw(self, user: str) -> None:
        """End every link of a user."""
        for document in await self._store.all(_KIND):
            if document.body["user"] == user:
                await self._store.delete(_KIND, document.name)

    async def user(self, token: str) -> str:
        """Whom the link invites; NotFound when it was used, has expired or never was."""
        return str((await self._find(token)).body["user"])

    async def redeem(self, token: str) -> str:
        """Use the link up; of two who come at once, one gets NotFound."""
        document = await self._find(token)
        if not await self._store.delete(_KIND, document.name):
            raise _gone()
        return str(document.body["user"])

    async def _find(self, token: str) -> Document:
        document = await self._store.get(_KIND, _digest(token))
        if document is None:
            raise _gone()
        return document


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _gone() -> NotFound:
    return NotFound(
        "This link was used already, or has expired. Ask your administrator for a new one."
    )
