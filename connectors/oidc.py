"""Any OpenID Connect provider: authorization code with PKCE, nonce and issuer check.

OpenID Connect Core 1.0 section 3.1, RFC 7636 (PKCE), RFC 9207 (issuer in the callback), RFC 9700.
"""

import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from connectors import claims, idtoken
from connectors.base import Begun, ExternalIdentity, Params
from connectors.discovery import Metadata, Provider, is_safe
from connectors.errors import LoginRefused, ProviderUnavailable, SettingsInvalid
from connectors.http import Http
from connectors.matching import ClaimMapping, mapping

# RFC 6749 4.1.2.1: the provider's own trouble, not the person's.
_TROUBLE = frozenset({"server_error", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """The spec of a `kind: oidc` document, read; `max_age_seconds` None: the provider decides."""

    issuer_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    redirect_urls: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    prompt: str = ""
    acr_values: str = ""
    display: str = ""
    username_claim: str = ""
    max_age_seconds: int | None = None
    allow_unverified_email: bool = False
    claims_to_roles: tuple[ClaimMapping, ...] = ()


class OidcConnector:
    """One OpenID provider."""

    type = "oidc"

    def __init__(
        self,
        name: str,
        settings: OidcSettings,
        *,
        provider: Provider | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.display = settings.display or name
        self._settings = settings
        self._provider = provider or Provider(settings.issuer_url, Http())
        self._now = now

    def __repr__(self) -> str:
        return f"<OidcConnector {self.name} {self._settings.issuer_url}>"

    async def begin(self, *, state: str, redirect_uri: str) -> Begun:
        """The provider's authorization URL, with state, nonce and a PKCE challenge."""
        settings = self._settings
        metadata = await self._provider.metadata()
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        redirect_uri = settings.redirect_urls[0] if settings.redirect_urls else redirect_uri
        optional = {"prompt": settings.prompt, "acr_values": settings.acr_values}
        if settings.max_age_seconds is not None:
            optional["max_age"] = str(settings.max_age_seconds)
        url = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=settings.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=list(dict.fromkeys(("openid", *(settings.scopes or ("email", "profile"))))),
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **{name: value for name, value in optional.items() if value},
        )
        saved = {"nonce": nonce, "verifier": verifier, "redirect_uri": redirect_uri}
        return Begun(url=str(url), saved=saved)

    async def complete(self, params: Params, saved: Params) -> ExternalIdentity:
        """Exchange the code, verify the token, merge userinfo, map the claims."""
        metadata = await self._provider.metadata()
        self._check_issuer(params, metadata)
        if "error" in params:
            raise self._failure(params)
        if not params.get("code"):
            raise LoginRefused("The identity provider sent no code; start again.")
        tokens = await self._redeem(params["code"], saved, metadata)
        raw = tokens.get("id_token")
        access_token = tokens.get("access_token")
        if not isinstance(raw, str) or not isinstance(access_token, str):
            raise LoginRefused("The identity provider sent no ID token; is openid in its scopes?")
        expected = idtoken.Expected(
            issuer=self._settings.issuer_url,
            client_id=self._settings.client_id,
            nonce=saved["nonce"],
            access_token=access_token,
            now=self._now(),
            max_age_seconds=self._settings.max_age_seconds,
        )
        key = await self._provider.key(idtoken.key_id(raw))
        token_claims = idtoken.verify(raw, key, expected)
        return self.identity(await self._merged(token_claims, metadata, access_token))

    def identity(self, said: Mapping[str, Any]) -> ExternalIdentity:
        """What the verified claims make of a person; LoginRefused when they must not come in."""
        settings = self._settings
        claims.refuse_overage(said, settings.claims_to_roles)
        believed = claims.verified(said, allow_unverified_email=settings.allow_unverified_email)
        traits = claims.traits_of(believed)
        return ExternalIdentity(
            connector=self.name,
            subject=said["sub"],
            name=claims.name_of(believed, username_claim=settings.username_claim),
            traits=traits,
            roles=claims.roles_for(traits, settings.claims_to_roles),
        )

    def _check_issuer(self, params: Params, metadata: Metadata) -> None:
        issuer = params.get("iss")
        # RFC 9207 2.4: another issuer's answer (mix-up), or one from which the name was taken.
        if issuer != self._settings.issuer_url and (issuer is not None or metadata.sends_issuer):
            raise LoginRefused(
                "The answer came from another identity provider; start again.",
                detail=f"iss {issuer!r:.200}",
            )

    def _failure(self, params: Params) -> LoginRefused | ProviderUnavailable:
        # The description is the outsider's text: for the log, never for the page.
        detail = f"{params['error']!r:.80}: {params.get('error_description', '')!r:.300}"
        if params["error"] in _TROUBLE:
            return ProviderUnavailable(
                "The identity provider has trouble; try again in a minute.", detail=detail
            )
        return LoginRefused("The identity provider did not let you in.", detail=detail)

    async def _redeem(self, code: str, saved: Params, metadata: Metadata) -> dict[str, Any]:
        return await self._provider.http.token(
            metadata.token_endpoint,
            client=self._client(metadata),
            form={
                "code": code,
                "redirect_uri": saved["redirect_uri"],
                "code_verifier": saved["verifier"],
            },
        )

    def _client(self, metadata: Metadata) -> ClientAuth:
        settings = self._settings
        # OpenID Connect Discovery 3: basic is the default when the provider lists nothing.
        methods = metadata.auth_methods or ("client_secret_basic",)
        secret = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return ClientAuth(
            settings.client_id,
            settings.client_secret,
            auth_method=secret if settings.client_secret else "none",
        )

    async def _merged(
        self, token_claims: Mapping[str, Any], metadata: Metadata, access_token: str
    ) -> Mapping[str, Any]:
        if not metadata.userinfo_endpoint:
            return token_claims
        info = await self._provider.http.json(metadata.userinfo_endpoint, bearer=access_token)
        # Core 5.3.2: the answer may be about somebody else (token substitution).
        if info.get("sub") != token_claims["sub"]:
            raise LoginRefused(
                "The identity provider's answers contradict each other; start again.",
                detail="userinfo has another sub",
            )
        # The signed one wins.
        return {**info, **token_claims}


def from_spec(name: str, spec: Mapping[str, Any]) -> OidcConnector:
    """Build the connector from a document's spec; SettingsInvalid says what is wrong."""
    issuer, client_id = spec.get("issuer_url"), spec.get("client_id")
    if not isinstance(issuer, str) or not is_safe(issuer):
        raise SettingsInvalid("spec.issuer_url must be an https:// URL")
    if not isinstance(client_id, str) or not client_id:
        raise SettingsInvalid("spec.client_id is required")
    mappings = enumerate(spec.get("claims_to_roles") or ())
    settings = OidcSettings(
        issuer_url=issuer,
        client_id=client_id,
        client_secret=_text(spec, "client_secret"),
        redirect_urls=_texts(spec, "redirect_url"),
        scopes=_texts(spec, "scope"),
        prompt=_text(spec, "prompt"),
        acr_values=_text(spec, "acr_values"),
        display=_text(spec, "display"),
        username_claim=_text(spec, "username_claim"),
        max_age_seconds=_seconds(spec, "max_age"),
        allow_unverified_email=spec.get("allow_unverified_email") is True,
        claims_to_roles=tuple(
            mapping(each, place=f"spec.claims_to_roles[{number}]") for number, each in mappings
        ),
    )
    http = Http(tls=_trust(_text(spec, "ca_file")))
    return OidcConnector(name, settings, provider=Provider(issuer, http))


def _text(spec: Mapping[str, Any], key: str) -> str:
    return str(spec.get(key) or "")


def _texts(spec: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = spec.get(key) or ()
    return tuple(str(item) for item in ([value] if isinstance(value, str) else value))


def _seconds(spec: Mapping[str, Any], key: str) -> int | None:
    value = spec.get(key)
    try:
        return None if value is None else int(str(value).removesuffix("s"))
    except ValueError as error:
        raise SettingsInvalid(f"spec.{key} must be a number of seconds") from error


def _trust(ca_file: str) -> ssl.SSLContext | None:
    if not ca_file:
        return None
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SettingsInvalid(f"spec.ca_file cannot be used: {error}") from error
