"""Lists and watches: which of their items a person may see."""

from collections.abc import Callable, Iterable, Sequence

from policies.ask import ask_of
from policies.compiled import Policy, compiled
from policies.model import Cluster, Request, Role, Subject
from policies.patterns import Match, Pattern
from policies.person import Person, denied_cluster
from policies.resources import DELETES, READS, Ask, Rule

# (namespace, name) of an item; the namespace is empty for a cluster-wide object.
Permitted = Callable[[str, str], bool]

# In which namespaces a rule holds, and for which names.
Reach = tuple[Match, Pattern]
Matchers = tuple[Match, ...]

MAX_SPACES = 4096


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
    if not policy.deny.empty and _may_deny(policy, person, ask):
        return True
    tables = policy.allow.tables(person.lookup)
    selected = policy.selected(person)
    bucket = tables.bucket(ask.verbs[0], ask.kind)
    if not selected.isdisjoint(bucket.every(Rule.allows_all, ask)):
        return False
    return not any(
        number in selected and rule.namespace.is_any
        for number, rule in (tables.within if _implies(ask) else ())
    )


def _may_deny(policy: Policy, person: Person, ask: Ask) -> bool:
    tables = policy.deny.tables(person.lookup)
    if any(tables.bucket(verb, ask.kind).every(Rule.may_deny, ask) for verb in ask.denied_by):
        return True
    return _guards(ask) and any(rule.verbs & DELETES for _, rule in tables.within)


def _permitted(policy: Policy, person: Person, ask: Ask) -> Permitted:
    denies = tuple(_denies(policy, person, ask))
    allows = tuple(_allows(policy, person, ask))
    # Lists repeat their namespaces: what holds in one is worked out once.
    spaces: dict[str, tuple[Matchers, Matchers]] = {}

    def permitted(namespace: str, name: str) -> bool:
        near = spaces.get(namespace)
        if near is None:
            if len(spaces) >= MAX_SPACES:
                spaces.clear()
            near = spaces[namespace] = (_within(denies, namespace), _within(allows, namespace))
        for denied in near[0]:
            if denied(name):
                return False
        for allowed in near[1]:  # noqa: SIM110 - a generator costs more than the match
            if allowed(name):
                return True
        return False

    return permitted


def _within(reaches: Iterable[Reach], namespace: str) -> Matchers:
    """The distinct name matchers that hold in a namespace; one is enough when it takes all."""
    names = {name.source: name for inside, name in reaches if inside(namespace)}
    anything = [name.match for name in names.values() if name.is_any]
    return tuple(anything[:1] or (name.match for name in names.values()))


def _allows(policy: Policy, person: Person, ask: Ask) -> Iterable[Reach]:
    tables = policy.allow.tables(person.lookup)
    selected = policy.selected(person)
    for number, rule in tables.bucket(ask.verbs[0], ask.kind).entries:
        if number in selected and rule.may_allow(ask):
            yield _reach(rule, ask)
    for number, rule in tables.within if _implies(ask) else ():
        if number in selected:
            yield _everywhere, rule.namespace


def _denies(policy: Policy, person: Person, ask: Ask) -> Iterable[Reach]:
    tables = policy.deny.tables(person.lookup)
    for verb in ask.denied_by:
        for _, rule in tables.bucket(verb, ask.kind).entries:
            if rule.may_deny(ask):
                yield _reach(rule, ask)
    for _, rule in tables.within if _guards(ask) else ():
        if rule.verbs & DELETES:
            yield _everywhere, rule.namespace


def _implies(ask: Ask) -> bool:
    """Whether rights within a namespace show the Namespace objects asked for."""
    return ask.kind == "namespaces" and ask.verbs[0] in READS


def _guards(ask: Ask) -> bool:
    """Whether denials within a namespace guard the Namespace objects asked for."""
    return ask.kind == "namespaces" and "delete" in ask.denied_by


def _reach(rule: Rule, ask: Ask) -> Reach:
    if ask.kind == "namespaces":
        return _everywhere, rule.target
    return rule.in_namespace, rule.name


def _everywhere(namespace: str) -> bool:  # noqa: ARG001 - the shape of a matcher
    return True


def _nothing(namespace: str, name: str) -> bool:  # noqa: ARG001 - the shape of Permitted
    return False
