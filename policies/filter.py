"""Lists and watches: which of their items a person may see."""

from collections.abc import Callable, Sequence

from policies.ask import ask_of
from policies.model import Cluster, Request, Role, Subject
from policies.person import Person, denied_cluster
from policies.resources import READS, Ask, Rule

# (namespace, name) of an item; the namespace is empty for a cluster-wide object.
Permitted = Callable[[str, str], bool]

_DELETES = frozenset({"delete", "deletecollection"})


def filter_for(
    roles: Sequence[Role], subject: Subject, cluster: Cluster, request: Request
) -> Permitted | None:
    """What tells an item of this collection that may be seen; None when all may be.

    A request for something named, or one that cannot be judged, permits nothing here.
    """
    try:
        person = Person(subject, cluster)
        ask = ask_of(request)
        if not ask.every or denied_cluster(roles, person) is not None:
            return _nothing
        if not is_partial(roles, person, ask):
            return None
        return _permitted(roles, person, ask)
    except Exception:  # noqa: BLE001 - total: an unjudgeable rule hides everything
        return _nothing


def is_partial(roles: Sequence[Role], person: Person, ask: Ask) -> bool:
    """Whether some items of a collection might have to be left out."""
    if _denies(roles, person, ask):
        return True
    for role in roles:
        if person.mismatch(role) is not None:
            continue
        index = role.allow.resources.bind(person.lookup)
        rules = index.candidates(ask.verbs[0], ask.kind)
        if any(rule.allows_all(ask) for rule in rules):
            return False
        if _implies(ask) and any(rule.namespace.is_any for rule in index.within):
            return False
    return True


def _permitted(roles: Sequence[Role], person: Person, ask: Ask) -> Permitted:
    denies = _denies(roles, person, ask)
    allows: list[Permitted] = []
    for role in roles:
        if person.mismatch(role) is not None:
            continue
        index = role.allow.resources.bind(person.lookup)
        rules = index.candidates(ask.verbs[0], ask.kind)
        allows += [_item(rule, ask) for rule in rules if rule.may_allow(ask)]
        if _implies(ask):
            allows += [_namespace(rule) for rule in index.within]

    def permitted(namespace: str, name: str) -> bool:
        for denied in denies:
            if denied(namespace, name):
                return False
        return any(allowed(namespace, name) for allowed in allows)

    return permitted


def _denies(roles: Sequence[Role], person: Person, ask: Ask) -> list[Permitted]:
    denies: list[Permitted] = []
    for role in roles:
        if not role.deny.resources.texts:
            continue
        index = role.deny.resources.bind(person.lookup)
        for verb in ask.denied_by:
            rules = index.candidates(verb, ask.kind)
            denies += [_item(rule, ask) for rule in rules if rule.may_deny(ask)]
        if ask.kind == "namespaces" and "delete" in ask.denied_by:
            denies += [_namespace(rule) for rule in index.within if rule.verbs & _DELETES]
    return denies


def _implies(ask: Ask) -> bool:
    return ask.kind == "namespaces" and ask.verbs[0] in READS


def _item(rule: Rule, ask: Ask) -> Permitted:
    if ask.kind == "namespaces":
        target = rule.target.match
        return lambda _, name: target(name)
    match, inside = rule.name.match, rule.in_namespace
    if rule.name.is_any:
        return lambda namespace, _: inside(namespace)
    return lambda namespace, name: match(name) and inside(namespace)


def _namespace(rule: Rule) -> Permitted:
    match = rule.namespace.match
    return lambda _, name: match(name)


def _nothing(namespace: str, name: str) -> bool:  # noqa: ARG001 - the shape of Permitted
    return False
