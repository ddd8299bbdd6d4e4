"""What a provider's claims mean to plane: traits, roles and a name. Pure.

Claims are an outsider's words: they are bounded in size, names that Kubernetes keeps for itself
(`system:`) are refused, and an e-mail address counts only when the provider has verified it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from connectors.base import Traits
from connectors.errors import LoginRefused
from connectors.matching import ClaimMapping

Claims = Mapping[str, object]

# Statements about the token, not about the person (OpenID Connect Core 2, RFC 7519 4.1).
_PROTOCOL = frozenset(
    {"iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash"}
    | {"sid", "auth_time", "acr", "amr", "typ", "_claim_names", "_claim_sources"}
)
_MAX_DEPTH = 4
_MAX_TRAITS = 256
_MAX_VALUES = 1000
_MAX_LENGTH = 1024
_MAX_NAME_LENGTH = 256
_RESERVED = "system:"


def traits_of(claims: Claims) -> Traits:
    """Every claim about the person as lists of texts; a nested claim's name is dotted.

    Keycloak's `{"realm_access": {"roles": [..]}}` becomes `realm_access.roles`; a claim that
    is itself called `https://gitlab.org/claims/groups/developer` keeps its name, and wins over
    a nested one that comes to the same. LoginRefused when there is too much, or a reserved name.
    """
    nested: dict[str, tuple[str, ...]] = {}
    for name, value in claims.items():
        if name not in _PROTOCOL and isinstance(value, Mapping):
            nested.update(_flattened(name, value, depth=1))
    flat = {
        name: _values(name, value)
        for name, value in claims.items()
        if name not in _PROTOCOL and not isinstance(value, Mapping)
    }
    traits = {name: values for name, values in (nested | flat).items() if values}
    if len(traits) > _MAX_TRAITS:
        raise LoginRefused(f"The provider sent more than {_MAX_TRAITS} claims.")
    return traits


def roles_for(traits: Traits, mappings: Sequence[ClaimMapping]) -> tuple[str, ...]:
    """The roles that the mappings give, in the mappings' order, each once."""
    granted = (
        role
        for each in mappings
        for value in traits.get(each.claim, ())
        for role in each.grants(value)
    )
    return tuple(dict.fromkeys(granted))


def refuse_overage(claims: Claims, mappings: Sequence[ClaimMapping]) -> None:
    """LoginRefused when a claim that decides roles was replaced by a link to it.

    Entra ID does so for people in more than 200 groups (`_claim_names`); going on without the
    groups would quietly give fewer roles, or fewer denials.
    """
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping):
        for each in mappings:
            if each.claim in elsewhere:
                raise LoginRefused(
                    f"You are in too many groups for the provider to list in {each.claim}. Ask "
                    "your administrator to limit that claim to the groups of this application."
                )


def verified(claims: Claims, *, allow_unverified_email: bool) -> Claims:
    """The claims that may be believed: without an e-mail address of which nobody is sure.

    LoginRefused when the provider says that the address is not verified. Where it says nothing
    (Entra ID), the address is left out: whoever can edit it could become anybody.
    """
    state = claims.get("email_verified")
    if allow_unverified_email or "email" not in claims or state is True or state == "true":
        return claims
    if state is None:
        return {name: value for name, value in claims.items() if name != "email"}
    raise LoginRefused("Your e-mail address is not verified at the provider; verify it there.")


def name_of(claims: Claims, *, username_claim: str = "") -> str:
    """What people call this person: `username_claim`, else the verified address, else `sub`.

    LoginRefused when it is missing, not printable on one line, or reserved.
    """
    claim = username_claim or ("email" if claims.get("email") else "sub")
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise LoginRefused(
            f"The provider sent no {claim}, which is to be your name here.",
            detail=f"claims sent: {', '.join(sorted(claims))}",
        )
    # Also keeps bidirectional overrides and terminal escapes out of audit and terminals.
    if not value.isprintable() or value != value.strip() or len(value) > _MAX_NAME_LENGTH:
        raise LoginRefused(f"The provider's {claim} is not a name of one printable line.")
    _refuse_reserved(claim, value)
    return value


def _flattened(
    prefix: str, claim: Mapping[object, object], *, depth: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    if depth > _MAX_DEPTH:
        raise LoginRefused(f"The provider's claim {prefix} is nested too deeply.")
    for key, value in claim.items():
        name = f"{prefix}.{key}"
        if isinstance(value, Mapping):
            yield from _flattened(name, value, depth=depth + 1)
        else:
            yield name, _values(name, value)


def _values(name: str, value: object) -> tuple[str, ...]:
    items: Iterable[object] = value if isinstance(value, list) else [value]
    texts = tuple(dict.fromkeys(text for item in items if (text := _text(item)) is not None))
    if len(texts) > _MAX_VALUES:
        raise LoginRefused(
            f"The provider's claim {name} has {len(texts)} values, plane takes {_MAX_VALUES}. "
            "Ask your administrator to limit it to the groups of this application."
        )
    for text in texts:
        _refuse_reserved(name, text)
    return texts


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    # Longer ones are pictures and certificates, never something a rule compares with.
    if isinstance(value, str) and 0 < len(value) <= _MAX_LENGTH:
        return value
    return None


def _refuse_reserved(name: str, value: str) -> None:
    # Leading blanks vanish on the wire: " system:masters" would arrive without them.
    if value.lstrip().startswith(_RESERVED):
        raise LoginRefused(
            f"The provider's claim {name} holds a name that Kubernetes reserves (system:...).",
            detail=f"{name}={value[:80]!r}",
        )
