"""The answer to every request: deny first, then the roles that allow, then their principals.

Start at decide(). All functions are pure and total: what cannot be judged is denied, with a reason
that says so. Reasons name roles and rules, never other clusters.
"""

from collections.abc import Sequence

from policies.api import api_decide
from policies.ask import ask_of, is_discovery, is_self_review
from policies.compiled import Hits, Policy, Tables, compiled
from policies.filter import filter_for, is_partial
from policies.grant import grant
from policies.model import Cluster, Decision, Request, Role, Subject
from policies.person import Person, denied_cluster
from policies.resources import DELETES, READS, Ask, Rule

__all__ = ["api_decide", "decide", "filter_for", "visible"]


def decide(roles: Sequence[Role], subject: Subject, cluster: Cluster, request: Request) -> Decision:
    """Whether a person with these roles may do this on this cluster, and as whom.

    For a list or watch without a name it answers "could anything be allowed"; `partial` then tells
    that items must be left out (filter_for).
    """
    try:
        return _decide(compiled(roles), Person(subject, cluster), request)
    except Exception as error:  # noqa: BLE001 - total: whatever goes wrong in a rule denies
        return Decision(allowed=False, reason=f"a rule could not be judged: {error}"[:300])


def visible(roles: Sequence[Role], subject: Subject, cluster: Cluster) -> bool:
    """Whether a person may know that the cluster exists: a role selects it and none denies it."""
    try:
        person = Person(subject, cluster)
        closed = denied_cluster(roles, person)
        return closed is None and any(person.selected_by(role) for role in roles)
    except Exception:  # noqa: BLE001 - total, as decide()
        return False


def _decide(policy: Policy, person: Person, request: Request) -> Decision:
    if policy.closing:
        refusal = denied_cluster(policy.closing, person)
        if refusal is not None:
            return refusal
    ask = ask_of(request)
    if not policy.deny.empty:
        for number, rule in denying(policy.deny.tables(person.lookup), ask).items():
            role = policy.roles[number]
            reason = f"role {role.name} denies it ({rule.path})"
            return Decision(allowed=False, reason=reason, role=role.name, rule=rule.path)
    hits = allowing(policy, person, ask, request)
    selected = policy.selected(person) if hits else ()
    matched = tuple([number for number in hits if number in selected])
    if not matched:
        return Decision(allowed=False, reason=_nobody(policy, person, request))
    partial = ask.every and is_partial(policy, person, ask)
    return _permit(policy, person, {n: hits[n] for n in matched}, partial=partial)


def denying(tables: Tables, ask: Ask) -> Hits:
    """The first deny rule that refuses the request whole, by its role's number."""
    for verb in ask.denied_by:
        bucket = tables.bucket(verb, ask.kind)
        if ask.every:
            for number, rule in bucket.every(Rule.denies_all, ask).items():
                return {number: rule}
            continue
        for number, rule in bucket.entries:
            if rule.denies(ask):
                return {number: rule}
    if ask.kind == "namespaces" and not ask.every and "delete" in ask.denied_by:
        # Who may not delete what is inside may not delete the whole (stricter than Teleport).
        for number, rule in tables.within:
            if rule.verbs & DELETES and rule.namespace.match(ask.name):
                return {number: rule}
    return {}


def allowing(policy: Policy, person: Person, ask: Ask, request: Request) -> dict[int, Rule | None]:
    """By the role's number, the rule that allows; whether the role selects the cluster is open."""
    if is_self_review(request) if ask.kind else is_discovery(request):
        return dict.fromkeys(range(len(policy.roles)))
    tables = policy.allow.tables(person.lookup)
    if not ask.kind:
        return {**_path_rules(tables, request)}
    hits = _by_verb(tables, ask, ask.verbs[0])
    for verb in ask.verbs[1:]:
        # kubectl debug needs two verbs, both from one role.
        more = _by_verb(tables, ask, verb)
        hits = {number: rule for number, rule in hits.items() if number in more}
    return {**hits}


def _by_verb(tables: Tables, ask: Ask, verb: str) -> Hits:
    bucket = tables.bucket(verb, ask.kind)
    if ask.kind != "namespaces":
        return bucket.every(Rule.may_allow, ask) if ask.every else bucket.named(ask)
    hits = bucket.first(Rule.may_allow if ask.every else Rule.allows, ask)
    if verb not in READS:
        return hits
    # Who has any right within a namespace may see that the namespace is there.
    for number, rule in tables.within:
        if number not in hits and (ask.every or rule.namespace.match(ask.name)):
            hits[number] = rule
    return dict(sorted(hits.items()))


def _path_rules(tables: Tables, request: Request) -> Hits:
    """Paths such as /metrics are for those who may do everything with this verb."""
    bucket = tables.bucket("get" if request.verb == "head" else request.verb, "*")
    return bucket.first(lambda rule, _: rule.is_everything, ask_of(request))


def _permit(
    policy: Policy, person: Person, hits: dict[int, Rule | None], *, partial: bool
) -> Decision:
    numbers = tuple(hits)
    first, path = policy.roles[numbers[0]], _path(hits[numbers[0]])
    key = (numbers, path, partial, person.subject.name, *map(person.lookup, policy.traits))
    known = policy.decisions.get(key)
    if known is not None:
        return known
    given = grant(policy.roles, [policy.roles[number] for number in numbers], person)
    if given.fault:
        return Decision(
            allowed=False,
            reason=f"role {first.name} allows it ({path}), but {given.fault}",
            role=first.name,
            rule=path,
            dropped=given.dropped,
        )
    if given.roles[0] is not first:
        first = given.roles[0]
        path = _path(next(hits[number] for number in numbers if policy.roles[number] is first))
    answer = Decision(
        allowed=True,
        reason=f"role {first.name} allows it ({path})",
        users=("*",) if given.anybody else tuple(given.users),
        groups=tuple(given.groups),
        role=first.name,
        rule=path,
        roles=tuple(role.name for role in given.roles),
        partial=partial,
        never_users=given.never_users,
        dropped=given.dropped,
    )
    return policy.keep(key, answer) if first is policy.roles[numbers[0]] else answer


def _path(rule: Rule | None) -> str:
    return rule.path if rule else "discovery"


def _nobody(policy: Policy, person: Person, request: Request) -> str:
    if not policy.selected(person):
        return "no role selects this cluster"
    if not request.resource:
        return f"no role allows {request.verb} {request.path[:80] or 'this path'}"
    thing = request.resource + (f"/{request.subresource}" if request.subresource else "")
    group = f".{request.api_group}" if request.api_group else ""
    name = f" {request.name}" if request.name else ""
    place = f" in namespace {request.namespace}" if request.namespace else ""
    return f"no role allows {request.verb} {thing}{group}{name}{place}"
