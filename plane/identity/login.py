"""How a login goes: the command line asks, the browser proves who it is, a code comes back.

::

    plane login ── authorize ──▶ browser ── begin ──▶ provider's pages
                                    ▲                      │
    plane login ◀── code ── finish ─┴── complete ◀─────────┘       or the password form
        └── redeem (code, PKCE verifier, key) ──▶ session, token, certificate

Three one-time keys, none of which stands for another: the login's id (in our pages), the state
(at the provider) and the code (to the command line). The first two work only in the browser that
began, known by its cookie, so nobody can finish their own login in another person's browser.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.base import CallbackConnector, Connector, ExternalIdentity, PasswordConnector
from connectors.errors import ConnectorError, ProviderUnavailable
from plane.clock import SYSTEM, Clock
from plane.errors import BadRequest, Forbidden, NotFound, PlaneError, UpstreamUnavailable
from plane.identity.credentials import Credentials, Issued, Wanted
from plane.identity.journal import Journal
from plane.identity.native import Asked, asked, proves
from plane.identity.pending import Pending
from plane.identity.session import Client, Identity

LOGIN_SECONDS = 600.0
CODE_SECONDS = 60.0
# A person copies this one by hand, onto another machine.
PASTED_CODE_SECONDS = 300.0
_STALE = "This login is not under way any more, or began in another browser. Start again."


class Connectors(Protocol):
    """The connectors to log in with; identity.providers.Providers is one."""

    def all(self) -> Sequence[Connector]:
        """Those that the login page offers."""
        ...

    def get(self, name: str) -> Connector | None:
        """The one of this name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    asked: Asked
    browser: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _AtProvider:
    login: str
    connector: CallbackConnector
    browser: str
    saved: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    asked: Asked
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The browser's part is done: it goes to `url`, or shows `code` when there is no url."""

    user: str
    url: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


class Login:
    """The logins under way; in memory, because a restart only costs starting again."""

    def __init__(
        self,
        *,
        connectors: Connectors,
        credentials: Credentials,
        journal: Journal,
        public_url: str,
        clock: Clock = SYSTEM,
    ) -> None:
        self._connectors = connectors
        self._credentials = credentials
        self._journal = journal
        self._public_url = public_url.rstrip("/")
        self._begun: Pending[_Begun] = Pending(ttl_seconds=LOGIN_SECONDS, clock=clock)
        self._at_provider: Pending[_AtProvider] = Pending(ttl_seconds=LOGIN_SECONDS, clock=clock)
        self._ready: Pending[_Ready] = Pending(ttl_seconds=CODE_SECONDS, clock=clock)
        self._pasted: Pending[_Ready] = Pending(ttl_seconds=PASTED_CODE_SECONDS, clock=clock)

    def __repr__(self) -> str:
        return f"<Login begun={len(self._begun)} at_provider={len(self._at_provider)}>"

    def choices(self) -> Sequence[Connector]:
        """What the login page offers."""
        return self._connectors.all()

    def authorize(self, params: Mapping[str, str], *, browser: str, client: Client) -> str:
        """Begin for the command line; the login's id. BadRequest when it asks wrongly."""
        begun = _Begun(asked=asked(params), browser=_fingerprint(browser))
        return self._begun.put(begun, owner=client.address)

    def asked(self, login: str, *, browser: str) -> Asked:
        """What the command line asked for; BadRequest when this browser did not begin it."""
        begun = self._begun.get(login)
        if begun is None or not _same(begun.browser, browser):
            raise BadRequest(_STALE)
        return begun.asked

    async def begin(self, login: str, connector: str, *, browser: str, client: Client) -> str:
        """Where the browser goes to prove who it is: the provider, or our password form."""
        self.asked(login, browser=browser)
        chosen = self._connectors.get(connector)
        if isinstance(chosen, PasswordConnector):
            return f"{self._public_url}/v1/login/local?login={login}"
        if not isinstance(chosen, CallbackConnector):
            raise NotFound("There is no such way to log in; start again.")
        state = self._at_provider.new_key()
        redirect_uri = f"{self._public_url}/v1/connectors/{chosen.name}/callback"
        try:
            begun = await chosen.begin(state=state, redirect_uri=redirect_uri)
        except ConnectorError as error:
            raise self._refused(error, chosen.name, client) from error
        waiting = _AtProvider(
            login=login, connector=chosen, browser=_fingerprint(browser), saved=begun.saved
        )
        self._at_provider.put(waiting, owner=client.address, key=state)
        return begun.url

    async def complete(
        self, connector: str, params: Mapping[str, str], *, browser: str, client: Client
    ) -> Finished:
        """The browser came back from the provider; the state is used up, whatever follows."""
        waiting = self._at_provider.take(params.get("state", ""))
        # Another connector's callback is a mix-up (RFC 9700 2.1); another browser is login CSRF.
        if (
            waiting is None
            or waiting.connector.name != connector
            or not _same(waiting.browser, browser)
        ):
            error = BadRequest(_STALE, detail="unknown state, other connector or other browser")
            self._journal.login_refused("", connector, client, error=error)
            raise error
        question = self.asked(waiting.login, browser=browser)
        try:
            external = await waiting.connector.complete(params, waiting.saved)
        except ConnectorError as refusal:
            raise self._refused(refusal, connector, client) from refusal
        finished = self._finish(question, external, client)
        self._begun.take(waiting.login)
        return finished

    async def password(
        self, login: str, user: str, password: str, *, browser: str, client: Client
    ) -> Finished:
        """The browser sent the password form."""
        question = self.asked(login, browser=browser)
        external = await self._verify(user, password, client)
        finished = self._finish(question, external, client)
        self._begun.take(login)
        return finished

    async def redeem(self, code: str, verifier: str, *, wanted: Wanted, client: Client) -> Issued:
        """The command line's part: the code, once, with the verifier that only it knows."""
        ready = self._ready.take(code) or self._pasted.take(code)
        if ready is None or not proves(verifier, ready.asked.challenge):
            error = BadRequest("The code is wrong, was used already or has expired. Log in again.")
            user = ready.identity.user if ready else ""
            self._journal.login_refused(user, "", client, error=error)
            raise error
        return await self._issue(await self._current(ready.identity), wanted, client)

    async def direct(self, user: str, password: str, *, wanted: Wanted, client: Client) -> Issued:
        """A local user's password straight from the command line."""
        external = await self._verify(user, password, client)
        return await self._issue(_identity(external), wanted, client)

    async def _verify(self, user: str, password: str, client: Client) -> ExternalIdentity:
        local = next((c for c in self.choices() if isinstance(c, PasswordConnector)), None)
        if local is None:
            raise NotFound("There are no local users here.")
        try:
            return await local.verify(user, password, address=client.address)
        except ConnectorError as error:
            raise self._refused(error, local.name, client, user=user) from error
        except PlaneError as error:
            self._journal.login_refused(user, local.name, client, error=error)
            raise

    async def _current(self, identity: Identity) -> Identity:
        connector = self._connectors.get(identity.connector)
        if connector is None:
            raise Forbidden("The way you logged in by does not exist any more.")
        # A local user may have been removed, or changed, since the browser's part.
        if isinstance(connector, PasswordConnector):
            return _identity(await connector.current(identity.subject))
        return identity

    def _finish(self, question: Asked, external: ExternalIdentity, client: Client) -> Finished:
        identity = _identity(external)
        try:
            # Said here, in the browser, and not only at the terminal.
            self._credentials.ttl_seconds(identity)
        except PlaneError as error:
            self._journal.login_refused(identity.user, identity.connector, client, error=error)
            raise
        ready = _Ready(asked=question, identity=identity)
        if question.out_of_band:
            return Finished(user=identity.user, code=self._pasted.put(ready, owner=client.address))
        code = self._ready.put(ready, owner=client.address)
        return Finished(user=identity.user, url=question.answer(code))

    async def _issue(self, identity: Identity, wanted: Wanted, client: Client) -> Issued:
        try:
            return await self._credentials.issue(identity, wanted, client)
        except PlaneError as error:
            self._journal.login_refused(identity.user, identity.connector, client, error=error)
            raise

    def _refused(
        self, error: ConnectorError, connector: str, client: Client, *, user: str = ""
    ) -> PlaneError:
        kind = UpstreamUnavailable if isinstance(error, ProviderUnavailable) else Forbidden
        refusal = kind(error.message, detail=error.detail)
        self._journal.login_refused(user, connector, client, error=refusal)
        return refusal


def _identity(external: ExternalIdentity) -> Identity:
    return Identity(
        user=external.name,
        connector=external.connector,
        subject=external.subject,
        traits=external.traits,
        roles=external.roles,
    )


def _fingerprint(browser: str) -> str:
    return hashlib.sha256(browser.encode("utf-8", "surrogatepass")).hexdigest()


def _same(fingerprint: str, browser: str) -> bool:
    return bool(browser) and hmac.compare_digest(fingerprint, _fingerprint(browser))
