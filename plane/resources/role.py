"""kind: role — Teleport's role schema, v3 to v8; the language itself is the policies room's."""

from plane.resources.fields import Faults
from plane.resources.kind import Body, Kind, Parsed
from policies.errors import PolicyError
from policies.parse import parse_role


def parse(body: Body) -> Parsed:
    """Compile the role."""
    try:
        role = parse_role(body)
    except PolicyError as error:
        raise Faults(error.problems) from error
    return Parsed(spec=role, warnings=tuple(role.warnings))


ROLE = Kind(
    name="role",
    plural="roles",
    versions=("v3", "v4", "v5", "v6", "v7", "v8"),
    parse=parse,
)
