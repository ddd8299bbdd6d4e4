"""Local users: invite them, let them set a password, reset it."""

import json
from collections.abc import Mapping, Sequence
from typing import Protocol

from plane.errors import Conflict, NotFound
from plane.identity.invites import Invites
from plane.identity.journal import Journal
from plane.identity.localauth import LOCAL, PASSWORD, USER
from plane.identity.passwords import Passwords
from plane.identity.session import Client, Session
from plane.identity.sessions import Sessions
from plane.store.base import Store, Write

FIRST_ADMIN = "admin"
FIRST_ADMIN_ROLES = ("access", "editor", "auditor")


class Declarations(Protocol):
    """Takes documents; resources.service.Resources is one."""

    async def apply(self, text: str, *, mode: str, dry_run: bool = False) -> Sequence[object]:
        """Validate and write a document; Invalid, or Conflict when it exists and differs."""
        ...


class LocalUsers:
    """`user` documents with passwords; who they are is checked by localauth.LocalAuth."""

    def __init__(
        self,
        *,
        store: Store,
        declarations: Declarations,
        sessions: Sessions,
        invites: Invites,
        journal: Journal,
        passwords: Passwords,
    ) -> None:
        self._store = store
        self._declarations = declarations
        self._sessions = sessions
        self._invites = invites
        self._journal = journal
        self._passwords = passwords

    async def invite(
        self,
        name: str,
        *,
        roles: Sequence[str],
        traits: Mapping[str, Sequence[str]],
        by: Session | None,
        client: Client,
    ) -> tuple[str, float]:
        """Make a user and a link for them: token and end. Conflict when the name is taken."""
        await self._refuse_taken(name)
        spec = {
            "roles": list(roles),
            "traits": {trait: list(values) for trait, values in traits.items()},
        }
        text = json.dumps({"kind": USER, "version": "v2", "metadata": {"name": name}, "spec": spec})
        await self._declarations.apply(text, mode="create", dry_run=True)
        self._journal.invite(by, name, client, details=spec)
        # A former user of this name may have left a password behind.
        await self._store.delete(PASSWORD, name)
        await self._declarations.apply(text, mode="create")
        return await self._invites.create(name)

    async def reset(self, name: str, *, by: Session, client: Client) -> tuple[str, float]:
        """A link to set a new password; the old one and every session end now."""
        if await self._store.get(USER, name) is None:
            raise NotFound(f"user {name!r} does not exist")
        self._journal.invite(by, name, client, details={"reset": True})
        await self._store.delete(PASSWORD, name)
        await self._sessions.end_for_user(name, connector=LOCAL)
        return await self._invites.create(name)

    async def invited(self, token: str) -> str:
        """Whom a link invites; NotFound when it is not good any more."""
        return await self._invites.user(token)

    async def accept(self, token: str, password: str, client: Client) -> str:
        """Set the password by a link, which is used up; the user's name."""
        try:
            name = await self._invites.user(token)
            # Hashed first: a password that is too short must not cost the link.
            digest = await self._passwords.hash(password)
            await self._invites.redeem(token)
        except NotFound as error:
            self._journal.password("", client, error=error)
            raise
        if await self._store.get(USER, name) is None:
            raise NotFound("This user does not exist any more.")
        self._journal.password(name, client)
        await self._store.put(Write(kind=PASSWORD, name=name, body={"hash": digest}))
        await self._sessions.end_for_user(name, connector=LOCAL)
        return name

    async def first_admin(self, client: Client) -> tuple[str, float] | None:
        """A link for the first administrator, as long as nobody has a password; else None."""
        if await self._store.all(PASSWORD):
            return None
        if await self._store.get(USER, FIRST_ADMIN):
            self._journal.invite(None, FIRST_ADMIN, client, details={"reset": True})
            return await self._invites.create(FIRST_ADMIN)
        return await self.invite(
            FIRST_ADMIN, roles=FIRST_ADMIN_ROLES, traits={}, by=None, client=client
        )

    async def _refuse_taken(self, name: str) -> None:
        # "Joe" beside "joe" would fool whoever reads the audit log.
        folded = name.casefold()
        if any(each.name.casefold() == folded for each in await self._store.all(USER)):
            raise Conflict(f"user {name!r} exists already; plane ctl users reset makes a new link")
