"""A role document (parsed YAML or JSON) becomes a Role, or is refused whole with every problem.

Read parse_role first. The sides of a role are in parse_conditions.py, its options in
parse_options.py; versions.py says older versions in v8's language.
"""

from collections.abc import Mapping

from policies import fields, versions
from policies.model import Role
from policies.parse_conditions import allow_side, deny_side
from policies.parse_options import read_options
from policies.reading import Reader


def parse_role(document: Mapping[str, object]) -> Role:
    """Read a `kind: role` document of version v3 to v8.

    Raises PolicyError with all problems, each with its path. Fields of Teleport's other protocols
    are accepted and listed in one warning (`Role.warnings`).
    """
    reader = Reader()
    top = reader.known("$", document, fields.ROLE)
    reader.problems = [(path.removeprefix("$."), message) for path, message in reader.problems]
    if top.get("kind") != "role":
        reader.fault("kind", f"must be role, is {top.get('kind')!r}")
    version = _version(reader, top.get("version"))
    metadata = reader.known("metadata", top.get("metadata"), fields.METADATA)
    name = _role_name(reader, metadata.get("name"))
    spec = reader.known("spec", top.get("spec"), fields.SPEC)
    foreign: list[str] = []
    allow = allow_side(reader, version, _ours(reader, spec, "allow", foreign))
    deny = deny_side(reader, version, _ours(reader, spec, "deny", foreign))
    options = read_options(reader, spec.get("options"), foreign)
    labels = reader.mapping("metadata.labels", metadata.get("labels"))
    description = reader.text("metadata.description", metadata.get("description"))
    if foreign:
        reader.warnings.insert(0, f"these fields do nothing in plane: {', '.join(foreign)}")
    reader.check()
    return Role(
        name=name,
        version=version,
        allow=allow,
        deny=deny,
        options=options,
        description=description,
        labels={key: str(value) for key, value in labels.items()},
        warnings=tuple(reader.warnings),
    )


def _version(reader: Reader, value: object) -> str:
    if value in versions.VERSIONS:
        return str(value)
    reader.fault("version", f"must be one of {', '.join(versions.VERSIONS)}, is {value!r}")
    return "v8"


def _role_name(reader: Reader, value: object) -> str:
    name = reader.text("metadata.name", value)
    if not isinstance(value, str | None):
        return ""  # told already
    if not name or len(name) > 255 or not name.isprintable() or set(name) & set("/ \\"):
        reader.fault("metadata.name", "a role needs a name without spaces, slashes and controls")
    return name


def _ours(
    reader: Reader, spec: Mapping[str, object], side: str, foreign: list[str]
) -> Mapping[str, object]:
    """The side's fields that mean something here; the others go to `foreign`."""
    path = f"spec.{side}"
    conditions = reader.mapping(path, spec.get(side))
    mine = {}
    for key, value in conditions.items():
        if key in fields.FOREIGN_CONDITIONS:
            if value not in (None, [], {}, ""):
                foreign.append(f"{side}.{key}")
        elif key == fields.MODERATION:
            _moderation(reader, f"{path}.{key}", value)
        else:
            mine[key] = value
    return reader.known(path, mine, fields.CONDITIONS)


def _moderation(reader: Reader, path: str, value: object) -> None:
    for place, item in reader.items(path, value):
        kinds = reader.texts(f"{place}.kinds", reader.mapping(place, item).get("kinds"))
        if {"k8s", "*"} & set(kinds):
            reader.fault(
                place, "plane cannot hold moderated sessions; it would be left unmoderated"
            )
