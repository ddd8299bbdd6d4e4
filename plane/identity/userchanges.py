"""Carries changes of local users into their live sessions: new roles at once, removed means out."""

import logging

from plane.errors import PlaneError
from plane.identity.invites import Invites
from plane.identity.localauth import LOCAL, PASSWORD, USER, identity_of
from plane.identity.sessions import Sessions
from plane.store.base import Change, Document, Store
from plane.store.watch import Lagged

_log = logging.getLogger(__name__)


class UserChanges:
    """Follows the `user` documents of the store."""

    def __init__(self, *, store: Store, sessions: Sessions, invites: Invites) -> None:
        self._store = store
        self._sessions = sessions
        self._invites = invites

    async def follow(self) -> None:
        """Carry changes of users into their sessions, for ever (run with plane.tasks.spawn)."""
        while True:
            watch = self._store.watch(USER)
            await self._reconcile()
            try:
                async for change in watch:
                    await self._follow_one(change)
            except Lagged:
                continue
            return

    async def _reconcile(self) -> None:
        documents = {each.name: each for each in await self._store.all(USER)}
        leftovers = {each.name for each in await self._store.all(PASSWORD)}
        sessions = {each.user for each in self._sessions.all() if each.connector == LOCAL}
        for name in (leftovers | sessions) - documents.keys():
            await self._removed(name)
        for document in documents.values():
            await self._changed(document)

    async def _follow_one(self, change: Change) -> None:
        try:
            if change.document is None:
                await self._removed(change.name)
            else:
                await self._changed(change.document)
        except Exception:  # noqa: BLE001 - one user's trouble must not stop the others' changes
            _log.exception("a change of user %r could not be carried out", change.name)

    async def _removed(self, name: str) -> None:
        await self._sessions.end_for_user(name, connector=LOCAL)
        await self._store.delete(PASSWORD, name)
        await self._invites.withdraw(name)

    async def _changed(self, document: Document) -> None:
        try:
            who = identity_of(document)
        except PlaneError:
            await self._sessions.end_for_user(document.name, connector=LOCAL)
            return
        await self._sessions.refresh(
            document.name, connector=LOCAL, roles=who.roles, traits=who.traits
        )
