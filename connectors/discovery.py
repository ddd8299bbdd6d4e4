"""What an OpenID provider publishes: its endpoints and its signing keys, cached.

OpenID Connect Discovery 1.0 section 4; RFC 8414. Keys are fetched again when a token names one
that is not known (rotation), but not more often than REFETCH_SECONDS: anybody can make up a key
id, and the provider must not be flooded through us.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from connectors.errors import LoginRefused, ProviderUnavailable
from connectors.http import Http

PublicKey = RSAKey | ECKey | OKPKey
CACHE_SECONDS = 3600.0
REFETCH_SECONDS = 30.0
_MAX_KEYS = 64
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The part of a discovery document that a login needs."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    # RFC 9207: the provider puts `iss` into the callback.
    sends_issuer: bool
    auth_methods: tuple[str, ...]


class Provider:
    """One issuer's metadata and keys, as it publishes them."""

    def __init__(
        self, issuer: str, http: Http, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer = issuer
        self.http = http
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, Mapping[str, PublicKey]] | None = None

    async def metadata(self) -> Metadata:
        """The endpoints; ProviderUnavailable when they are not there or not the issuer's."""
        async with self._lock:
            if self._metadata is None or self._age(self._metadata[0]) > CACHE_SECONDS:
                document = await self.http.json(self.issuer.removesuffix("/") + _WELL_KNOWN)
                self._metadata = (self._monotonic(), self._read(document))
            return self._metadata[1]

    async def key(self, key_id: str | None) -> PublicKey:
        """The public key that a token names; LoginRefused when there is none."""
        uri = (await self.metadata()).jwks_uri
        async with self._lock:
            if self._keys is None or self._age(self._keys[0]) > CACHE_SECONDS:
                await self._fetch_keys(uri)
            found = self._find(key_id)
            if found is None and self._keys and self._age(self._keys[0]) >= REFETCH_SECONDS:
                await self._fetch_keys(uri)
                found = self._find(key_id)
        if found is None:
            raise LoginRefused(
                "The identity provider signed with a key that it does not publish; try again "
                "in a minute.",
                detail=f"key id {key_id!r:.80}",
            )
        return found

    def _find(self, key_id: str | None) -> PublicKey | None:
        keys = self._keys[1] if self._keys else {}
        if key_id is not None:
            return keys.get(key_id)
        # OpenID Connect Core 10.1: a token may leave the id out only when there is one key.
        return next(iter(keys.values())) if len(keys) == 1 else None

    async def _fetch_keys(self, uri: str) -> None:
        document = await self.http.json(uri)
        listed = document.get("keys")
        if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
            raise _wrong(self.issuer, "no list of keys, or a very long one")
        keys: dict[str, PublicKey] = {}
        for number, item in enumerate(listed):
            key = _signing_key(item)
            if key is not None:
                keys[str(item.get("kid", f"#{number}"))] = key
        self._keys = (self._monotonic(), keys)

    def _age(self, since: float) -> float:
        return self._monotonic() - since

    def _read(self, document: Mapping[str, Any]) -> Metadata:
        # Discovery 4.3: an issuer that differs in one character may be another's (mix-up).
        if document.get("issuer") != self.issuer:
            raise _wrong(self.issuer, f"it calls itself {document.get('issuer')!r:.200}")
        methods = document.get("token_endpoint_auth_methods_supported")
        return Metadata(
            authorization_endpoint=self._endpoint(document, "authorization_endpoint"),
            token_endpoint=self._endpoint(document, "token_endpoint"),
            jwks_uri=self._endpoint(document, "jwks_uri"),
            userinfo_endpoint=self._endpoint(document, "userinfo_endpoint", optional=True),
            sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
            auth_methods=tuple(map(str, methods)) if isinstance(methods, list) else (),
        )

    def _endpoint(self, document: Mapping[str, Any], key: str, *, optional: bool = False) -> str:
        url = document.get(key)
        if url is None and optional:
            return ""
        if not isinstance(url, str) or not is_safe(url):
            raise _wrong(self.issuer, f"its {key} is not an https:// URL")
        return url


def is_safe(url: str) -> bool:
    """Whether a URL is https, or http on this machine (for tests and demos)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    )


def _signing_key(item: object) -> PublicKey | None:
    # Symmetric keys are left out here already: an HS256 token never finds one.
    if not isinstance(item, dict) or item.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    if item.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(item)
        strong = not isinstance(key, RSAKey) or key.public_key.key_size >= 2048
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if strong and isinstance(key, RSAKey | ECKey | OKPKey) else None


def _wrong(issuer: str, what: str) -> ProviderUnavailable:
    return ProviderUnavailable(
        "The identity provider is not set up as plane expects; tell your administrator.",
        detail=f"{issuer}: {what}",
    )
