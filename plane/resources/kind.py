"""What makes a kind of resource; each kind's own file builds one `Kind`, registry.py lists them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from plane.resources.yaml import Value

Body = Mapping[str, Value]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A document that is right: its typed spec, and what the author should know."""

    spec: object
    warnings: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()  # names of roles that the document refers to


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `parse` gets the whole document with its secrets open and raises fields.Faults.

    `secrets` are encrypted at rest and redacted in answers. A redacted value put back stands for
    the stored one only while `destinations` are unchanged: else whoever may edit the document
    could send a secret that they cannot read to a place of their own.
    """

    name: str
    plural: str
    versions: tuple[str, ...]
    parse: Callable[[Body], Parsed]
    aliases: tuple[str, ...] = ()
    secrets: tuple[Path, ...] = ()
    destinations: tuple[Path, ...] = ()


def at(body: Body, path: Path) -> Value:
    """The value at a path, or None."""
    value: Value = dict(body)
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def replaced(body: Body, path: Path, value: Value) -> dict[str, Value]:
    """A copy with another value at a path that exists."""
    key, *rest = path
    copy = dict(body)
    inner = copy[key]
    copy[key] = replaced(inner, tuple(rest), value) if rest and isinstance(inner, dict) else value
    return copy
