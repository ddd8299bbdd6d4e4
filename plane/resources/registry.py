"""The kinds that plane knows; a new one costs its file, a line here and its tests."""

from collections.abc import Mapping

from plane.errors import NotFound
from plane.resources.cluster import CLUSTER
from plane.resources.kind import Kind
from plane.resources.oidc import OIDC
from plane.resources.role import ROLE
from plane.resources.user import USER

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (ROLE, USER, CLUSTER, OIDC)}

_WORDS = {word: kind for kind in KINDS.values() for word in (kind.name, kind.plural, *kind.aliases)}


def find(word: str) -> Kind:
    """The kind by its name, plural or alias; NotFound lists what there is."""
    kind = _WORDS.get(word.lower())
    if kind is None:
        raise NotFound(f"there is no kind {word!r}; the kinds are {', '.join(sorted(KINDS))}")
    return kind
