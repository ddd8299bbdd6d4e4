"""Local users as a connector; where they and their passwords are kept is the caller's affair."""

from typing import Protocol

from connectors.base import ExternalIdentity


class Verifier(Protocol):
    """Checks a password in constant work; identity.users.LocalUsers is one."""

    async def verify(self, user: str, password: str, *, address: str) -> ExternalIdentity:
        """Who this is, or an error that does not say whether the user exists."""
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
