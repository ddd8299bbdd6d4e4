"""kind: oidc — a connector: an OpenID provider whose people may log in, and the roles they get."""

from urllib.parse import urlsplit

from connectors.errors import SettingsInvalid
from connectors.matching import mapping
from plane.resources.fields import Faults, Fields
from plane.resources.kind import Body, Kind, Parsed

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TEXTS = ("client_secret", "prompt", "acr_values", "display", "username_claim", "ca_file")
_NO_MEANING = (
    "provider", "google_service_account_uri", "google_service_account", "google_admin_email",
    "client_redirect_settings", "mfa", "entra_id_groups_provider", "user_matchers",
    "request_object_mode",
)  # fmt: skip


def parse(body: Body) -> Parsed:
    """Check a connector document; the spec stays a mapping, from which connectors builds."""
    faults = Faults()
    spec = Fields(body.get("spec"), "spec", faults)
    _url(spec, "issuer_url", spec.text("issuer_url", required=True))
    spec.text("client_id", required=True)
    for url in spec.texts("redirect_url"):
        _url(spec, "redirect_url", url)
    for key in _TEXTS:
        spec.text(key)
    spec.texts("scope")
    spec.flag("allow_unverified_email")
    _max_age(spec)
    mappings = [_mapping(each) for each in spec.children("claims_to_roles")]
    warnings = spec.ignored(_NO_MEANING, why="does nothing here")
    if spec.text("pkce_mode") not in ("", "enabled"):
        spec.fault("pkce_mode", "PKCE is always used: leave the field out")
    spec.done()
    faults.check()
    if not mappings:
        warnings.append("spec.claims_to_roles is empty: nobody gets a role through this connector")
    # A regex's captures may be part of a role's name ($1): such a role is known at login only.
    roles = [role for roles in mappings for role in roles if "$" not in role]
    return Parsed(
        spec=body.get("spec"), warnings=tuple(warnings), roles=tuple(dict.fromkeys(roles))
    )


def _mapping(fields: Fields) -> tuple[str, ...]:
    document = {
        "claim": fields.text("claim", required=True),
        "value": fields.text("value", required=True),
        "roles": (roles := fields.texts("roles")),
    }
    fields.done()
    if not roles:
        fields.fault("roles", "is required")
    elif document["claim"] and document["value"]:
        try:
            mapping(document, place=fields.path)
        except SettingsInvalid as error:
            fields.fault("", error.message)
    return roles


def _url(fields: Fields, key: str, text: str) -> None:
    if not text:
        return
    try:
        url = urlsplit(text)
        host = url.hostname or ""
    except ValueError:
        fields.fault(key, "is not a URL")
        return
    if url.scheme not in ("https", "http") or not host:
        fields.fault(key, "must be an https:// URL")
    elif url.scheme == "http" and host not in _LOOPBACK:
        fields.fault(key, "must be https://; http:// is for a provider on this machine only")
    elif url.username or url.query or url.fragment:
        fields.fault(key, "must have no user, query or fragment")


def _max_age(fields: Fields) -> None:
    value = fields.raw("max_age")
    text = str(value).removesuffix("s")
    if value is not None and (isinstance(value, bool) or not (text.isascii() and text.isdigit())):
        fields.fault("max_age", "must be a number of seconds")


OIDC = Kind(
    name="oidc",
    plural="oidcs",
    versions=("v2", "v3"),
    aliases=("oidc_connector", "connector", "connectors"),
    parse=parse,
    secrets=(("spec", "client_secret"),),
    destinations=(("spec", "issuer_url"), ("spec", "ca_file")),
)
