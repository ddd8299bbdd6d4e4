"""Checks a local user's password: the same words and the same work, whether they exist or not.

Passwords lie in a kind of their own, which no API reads, beside the `user` documents.
"""

import contextlib

from connectors.base import ExternalIdentity
from plane.errors import Conflict, Forbidden, Unauthenticated
from plane.identity.attempts import Attempts
from plane.identity.passwords import Passwords
from plane.resources.fields import Faults
from plane.resources.user import UserSpec, parse
from plane.store.base import Document, Store, Write

LOCAL = "local"
USER = "user"
PASSWORD = "password"  # noqa: S105 - a kind of document


class LocalAuth:
    """The verifier behind connectors.local.LocalConnector."""

    def __init__(self, store: Store, passwords: Passwords, attempts: Attempts) -> None:
        self._store = store
        self._passwords = passwords
        self._attempts = attempts

    async def verify(self, user: str, password: str, *, address: str) -> ExternalIdentity:
        """Who this is; Unauthenticated, in the same words and work whether they exist or not."""
        name = user.strip()[:256]
        self._attempts.begin(name, address)
        document = await self._store.get(USER, name)
        secret = await self._store.get(PASSWORD, name)
        known = str(secret.body["hash"]) if document and secret else None
        fits = await self._passwords.verify(known, password)
        # Asked again: a reset may have come while the hash was computed.
        if not fits or secret is None or await self._store.get(PASSWORD, name) != secret:
            raise Unauthenticated("User name or password is wrong.")
        self._attempts.succeeded(name, address)
        if self._passwords.outdated(str(secret.body["hash"])):
            await self._renew(secret, password)
        return await self.current(name)

    async def current(self, user: str) -> ExternalIdentity:
        """Who this user is by now; Unauthenticated when they were removed."""
        document = await self._store.get(USER, user)
        if document is None:
            raise Unauthenticated("User name or password is wrong.")
        return identity_of(document)

    async def _renew(self, secret: Document, password: str) -> None:
        digest = await self._passwords.hash(password)
        write = Write(
            kind=PASSWORD, name=secret.name, body={"hash": digest}, expected=secret.revision
        )
        with contextlib.suppress(Conflict):
            await self._store.put(write)


def identity_of(document: Document) -> ExternalIdentity:
    """Who a `user` document describes; Forbidden when it cannot be understood or is reserved."""
    try:
        spec = parse(document.body).spec
    except Faults as error:
        raise Forbidden(
            "Your user cannot be understood here; tell your administrator.", detail=str(error)
        ) from error
    assert isinstance(spec, UserSpec)
    # Kubernetes keeps these names for itself, whoever wrote the document.
    if document.name.startswith("system:"):
        raise Forbidden("A user name must not begin with system:.")
    return ExternalIdentity(
        connector=LOCAL,
        subject=document.name,
        name=document.name,
        traits=spec.traits,
        roles=spec.roles,
    )
