"""kind: oidc — a connector: an OpenID provider whose people may log in, and the roles they get."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plane.resources.fields import Faults, Fields
from plane.resources.kind import Body, Kind, Parsed

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NO_MEANING = (
    "provider", "google_service_account_uri", "google_service_account", "google_admin_email",
    "client_redirect_settings", "mfa", "entra_id_groups_provider", "user_matchers",
    "request_object_mode",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMapping:
    """People whose `claim` has `value` (literal, glob or ^regex$) get `roles`."""

    claim: str
    value: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSpec:
    """A connector's settings; `max_age_seconds` None: the provider decides."""

    issuer_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_urls: tuple[str, ...]
    scopes: tuple[str, ...]
    prompt: str
    acr_values: str
    display: str
    username_claim: str
    max_age_seconds: int | None
    allow_unverified_email: bool
    claims_to_roles: tuple[ClaimMapping, ...]


def parse(body: Body) -> Parsed:
    """Read a connector document."""
    faults = Faults()
    spec = Fields(body.get("spec"), "spec", faults)
    parsed = OidcSpec(
        issuer_url=_url(spec, "issuer_url", spec.text("issuer_url", required=True)),
        client_id=spec.text("client_id", required=True),
        client_secret=spec.text("client_secret"),
        redirect_urls=tuple(
            _url(spec, "redirect_url", each) for each in spec.texts("redirect_url")
        ),
        scopes=spec.texts("scope"),
        prompt=spec.text("prompt"),
        acr_values=spec.text("acr_values"),
        display=spec.text("display"),
        username_claim=spec.text("username_claim"),
        max_age_seconds=_max_age(spec),
        allow_unverified_email=spec.flag("allow_unverified_email"),
        claims_to_roles=tuple(_mapping(each) for each in spec.children("claims_to_roles")),
    )
    warnings = spec.ignored(_NO_MEANING, why="does nothing here")
    if spec.text("pkce_mode") not in ("", "enabled"):
        spec.fault("pkce_mode", "PKCE is always used: leave the field out")
    spec.done()
    faults.check()
    if not parsed.claims_to_roles:
        warnings.append("spec.claims_to_roles is empty: nobody gets a role through this connector")
    roles = tuple(role for each in parsed.claims_to_roles for role in each.roles)
    # A regex's captures may be part of a role's name ($1): such a role is known at login only.
    fixed = tuple(dict.fromkeys(role for role in roles if "$" not in role and "{{" not in role))
    return Parsed(spec=parsed, warnings=tuple(warnings), roles=fixed)


def _mapping(fields: Fields) -> ClaimMapping:
    claim, value = fields.text("claim", required=True), fields.text("value", required=True)
    roles = fields.texts("roles")
    if not roles:
        fields.fault("roles", "is required")
    if value.startswith("^") and value.endswith("$"):
        try:
            re.compile(value)
        except re.error as error:
            fields.fault("value", f"is no regular expression: {error}")
    fields.done()
    return ClaimMapping(claim=claim, value=value, roles=roles)


def _url(fields: Fields, key: str, text: str) -> str:
    if not text:
        return text
    try:
        url = urlsplit(text)
        host = url.hostname or ""
    except ValueError:
        fields.fault(key, "is not a URL")
        return text
    if url.scheme not in ("https", "http") or not host:
        fields.fault(key, "must be an https:// URL")
    elif url.scheme == "http" and host not in _LOOPBACK:
        fields.fault(key, "must be https://; http:// is for a provider on this machine only")
    elif url.username or url.query or url.fragment:
        fields.fault(key, "must have no user, query or fragment")
    return text


def _max_age(fields: Fields) -> int | None:
    value = fields.raw("max_age")
    if value is None:
        return None
    text = str(value).removesuffix("s")
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        fields.fault("max_age", "must be a number of seconds")
        return None
    return int(text)


OIDC = Kind(
    name="oidc",
    plural="oidcs",
    versions=("v2", "v3"),
    aliases=("oidc_connector", "connector", "connectors"),
    parse=parse,
    secrets=(("spec", "client_secret"),),
    destinations=(("spec", "issuer_url"),),
)
