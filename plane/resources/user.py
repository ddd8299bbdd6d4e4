"""kind: user — a local user: roles and traits; passwords are set by invite and never shown here."""

from dataclasses import dataclass

from plane.resources.fields import Faults, Fields
from plane.resources.kind import Body, Kind, Parsed
from policies.model import Traits

# Teleport's exports carry these; who made a user is in the audit log here.
_EXPORTED = (
    "created_by", "status", "expires", "oidc_identities", "saml_identities", "github_identities",
    "trusted_device_ids",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSpec:
    """What a local user's session starts with."""

    roles: tuple[str, ...] = ()
    traits: Traits


def parse(body: Body) -> Parsed:
    """Read a user document."""
    faults = Faults()
    spec = Fields(body.get("spec"), "spec", faults)
    roles, traits = spec.texts("roles"), spec.traits("traits")
    warnings = spec.ignored(_EXPORTED, why="does nothing here")
    if "local_auth" in spec:
        spec.fault("local_auth", "passwords are not in documents: plane ctl users reset invites")
        spec.raw("local_auth")
    spec.done()
    faults.check()
    if not roles:
        warnings.append("spec.roles is empty: this user may do nothing")
    return Parsed(spec=UserSpec(roles=roles, traits=traits), warnings=tuple(warnings), roles=roles)


USER = Kind(name="user", plural="users", versions=("v1", "v2"), parse=parse)
