"""Local users as a connector; where they and their passwords are kept is the caller's affair."""

from typing import Protocol

from connectors.base import ExternalIdentity


class Verifier(Protocol):
    """Checks a password in constant work; identity.localauth.LocalAuth is one."""

    async def verify(self, user: str, password: str, *, address: str) -> ExternalIdentity:
        """Who this is, or an error that does not say whether the user exists."""
        ...

    async def current(self, user: str) -> ExternalIdentity:
        """Who this user is by now, or an error when they are gone."""
        ...


class LocalConnector:
    """The password form for plane's own users."""

    name = "local"
    type = "local"

    def __init__(self, verifier: Verifier, *, display: str = "Password") -> None:
        self._verifier = verifier
        self.display = display

    async def verify(self, user: str, password: str, *, address: str) -> ExternalIdentity:
        """Who this is; whatever the verifier raises passes through."""
        return await self._verifier.verify(user, password, address=address)

    async def current(self, subject: str) -> ExternalIdentity:
        """Who this is by now; whatever the verifier raises passes through."""
        return await self._verifier.current(subject)
