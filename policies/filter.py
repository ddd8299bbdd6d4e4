"""Lists and watches: which of their items a person may see."""

from collections.abc import Callable, Iterable, Sequence

from policies.ask import ask_of
from policies.compiled import Policy, compiled
from policies.model import Cluster, Request, Role, Subject
from policies.person import Person, denied_cluster
from policies.resources import DELETES, READS, Ask, Rule

# (namespace, name) of an item; the namespace is empty for a cluster-wide object.
Permitted = Callable[[str, str], bool]


def filter_for(
    roles: Sequence[Role], subject: Subject, cluster: Cluster, request: Request
) -> Permitted | None:
    """What tells the items of this collection that may be seen; None when all may be.

    For a request that names one object, or that cannot be judged, it permits nothing.
    """
    try:
        policy, person, ask = compiled(roles), Person(subject, cluster), ask_of(request)
        if not ask.every or denied_cluster(policy.closing, person) is not None:
            return _nothing
        if not is_partial(policy, person, ask):
            return None
        return _permitted(policy, person, ask)
    except Exception:  # noqa: BLE001 - total: an unjudgeable rule hides everything
        return _nothing


def is_partial(policy: Policy, person: Person, ask: Ask) -> bool:
    """Whether some items of a collection might have to be left out; raises EvaluationError."""
    if not policy.deny.empty and any(_denies(policy, person, ask)):
        return True
    tables = policy.allow.tables(person.lookup)
    selected = policy.selected(person)
    for number, rule in tables.bucket(ask.verbs[0], ask.kind).entries:
        if number in selected and rule.allows_all(ask):
            return False
    return not any(
        number in selected and rule.namespace.is_any
        for number, rule in (tables.within if _implies(ask) else ())
    )


def _permitted(policy: Policy, person: Person, ask: Ask) -> Permitted:
    denies = tuple(_denies(policy, person, ask))
    allows = tuple(_allows(policy, person, ask))

    def permitted(namespace: str, name: str) -> bool:
        for denied in denies:
            if denied(namespace, name):
                return False
        return any(allowed(namespace, name) for allowed in allows)

    return permitted


def _allows(policy: Policy, person: Person, ask: Ask) -> Iterable[Permitted]:
    tables = policy.allow.tables(person.lookup)
    selected = policy.selected(person)
    for number, rule in tables.bucket(ask.verbs[0], ask.kind).entries:
        if number in selected and rule.may_allow(ask):
            yield _item(rule, ask)
    for number, rule in tables.within if _implies(ask) else ():
        if number in selected:
            yield _namespace(rule)


def _denies(policy: Policy, person: Person, ask: Ask) -> Iterable[Permitted]:
    tables = policy.deny.tables(person.lookup)
    for verb in ask.denied_by:
        for _, rule in tables.bucket(verb, ask.kind).entries:
            if rule.may_deny(ask):
                yield _item(rule, ask)
    if ask.kind == "namespaces" and "delete" in ask.denied_by:
        for _, rule in tables.within:
            if rule.verbs & DELETES:
                yield _namespace(rule)


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
