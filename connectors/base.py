"""What a connector is: a source of people, reached through a redirect or through a password form.

The flow around it (state, browser cookie, one-time codes) belongs to whoever calls; a connector
checks only what its provider says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

Traits = Mapping[str, tuple[str, ...]]
Params = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdentity:
    """Who the provider says this is.

    `subject` is stable and unique at the connector (OIDC `sub`, GitHub's numeric id); `name` is
    for people and may change. `roles` are what the connector's mapping gives.
    """

    connector: str
    subject: str
    name: str
    traits: Traits = field(default_factory=dict)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A login under way: where to send the browser, and what `complete` needs again.

    `saved` holds secrets (nonce, PKCE verifier): it stays on the server.
    """

    url: str
    saved: Params = field(repr=False)


class Connector(Protocol):
    """A source of people; `type` is the document's kind (`oidc`, `local`)."""

    @property
    def name(self) -> str:
        """The connector's own name, unique on this plane."""
        ...

    @property
    def type(self) -> str:
        """What kind of provider this is."""
        ...

    @property
    def display(self) -> str:
        """What the login page calls it."""
        ...


@runtime_checkable
class CallbackConnector(Connector, Protocol):
    """A provider with login pages of its own, to which the browser is sent and comes back."""

    async def begin(self, *, state: str, redirect_uri: str) -> Begun:
        """Where to send the browser; ProviderUnavailable when the provider does not answer."""
        ...

    async def complete(self, params: Params, saved: Params) -> ExternalIdentity:
        """Who came back, from the callback's query parameters.

        Raises LoginRefused or ProviderUnavailable. The caller has checked `state` already.
        """
        ...


@runtime_checkable
class PasswordConnector(Connector, Protocol):
    """A provider that wants the password itself, from plane's form."""

    async def verify(self, user: str, password: str, *, address: str) -> ExternalIdentity:
        """Who this is; LoginRefused without saying whether the user exists."""
        ...

    async def current(self, subject: str) -> ExternalIdentity:
        """Who this is by now; LoginRefused when they are gone since they gave their password."""
        ...
