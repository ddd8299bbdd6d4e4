"""Is this ID token good? OpenID Connect Core 1.0 section 3.1.3.7, step by step. No I/O.

The caller fetches the key that `key_id` names; `verify` then believes nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError

from connectors.discovery import PublicKey
from connectors.errors import LoginRefused

# Asymmetric only: with HS256 the provider's public key would be the secret; `none` is no signature.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
)  # fmt: skip
SKEW_SECONDS = 60
# What odd JSON makes the libraries raise.
_ODD = (ValueError, TypeError, KeyError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the token must say; `now` is in epoch seconds."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    now: float
    max_age_seconds: int | None = None


def key_id(token: str) -> str | None:
    """The key that the token claims to be signed with; LoginRefused when it is no signed token."""
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, *_ODD) as error:
        raise _refused(error) from error
    if header.get("alg") not in ALGORITHMS:
        raise _refused(f"algorithm {header.get('alg')!r:.40}")
    kid = header.get("kid")
    return None if kid is None else str(kid)


def verify(token: str, key: PublicKey, expected: Expected) -> Mapping[str, Any]:
    """The token's claims; LoginRefused with one message for every fault, details for the log."""
    try:
        decoded = jwt.decode(token, key, algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": expected.issuer},
                "aud": {"essential": True, "value": expected.client_id},
                "sub": {"essential": True},
                "nonce": {"essential": True, "value": expected.nonce},
            },
            params={
                "nonce": expected.nonce,
                "client_id": expected.client_id,
                "access_token": expected.access_token,
                "max_age": expected.max_age_seconds,
            },
        )
        claims.validate(now=int(expected.now), leeway=SKEW_SECONDS)
    except (JoseError, AuthlibBaseError, *_ODD) as error:
        raise _refused(error) from error
    _check_further(claims, expected)
    return dict(claims)


def _check_further(claims: Mapping[str, Any], expected: Expected) -> None:
    """What Authlib leaves open."""
    audience = claims["aud"]
    # A list that holds us among others is somebody else's token too, unless azp names us.
    alone = audience in (expected.client_id, [expected.client_id])
    if not alone and claims.get("azp") != expected.client_id:
        raise _refused("several audiences without azp")
    if claims["nonce"] != expected.nonce:
        raise _refused("nonce")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise _refused("sub")
    if expected.max_age_seconds is not None:
        # Core 3.1.2.1: with max_age the time of authentication must be there, and be checked.
        oldest = expected.now - expected.max_age_seconds - SKEW_SECONDS
        auth_time = claims.get("auth_time")
        if not isinstance(auth_time, int | float) or auth_time < oldest:
            raise _refused("auth_time is older than max_age")


def _refused(what: object) -> LoginRefused:
    return LoginRefused(
        "The identity provider's answer could not be verified; start again.",
        detail=f"ID token: {what}"[:300],
    )
