"""The answer to every request: deny first, then the roles that allow, then their principals.

Start at decide(). All functions are pure and total: what cannot be judged is denied, with a reason
that says so. Reasons name roles and rules, never other clusters.
"""

from collections.abc import Sequence
from dataclasses import replace

from policies.api import api_decide
from policies.ask import ask_of, is_discovery, is_self_review
from policies.filter import filter_for, is_partial
from policies.grant import grant
from policies.model import Cluster, Decision, Request, Role, Subject
from policies.person import Person, denied_cluster
from policies.resources import Ask, Index, Rule

__all__ = ["api_decide", "decide", "filter_for", "visible"]

_DELETES = frozenset({"delete", "deletecollection"})
_READS = frozenset({"get", "list", "watch"})


def decide(roles: Sequence[Role], subject: Subject, cluster: Cluster, request: Request) -> Decision:
    """Whether a person with these roles may do this on this cluster, and as whom.

    For a list or watch without a name it answers "could anything be allowed"; `partial` then tells
    that items must be left out.
    """
    try:
        return _decide(roles, Person(subject, cluster), request)
    except Exception as error:  # noqa: BLE001 - total: whatever goes wrong in a rule denies
        return Decision(allowed=False, reason=f"a rule could not be judged: {error}"[:300])


def visible(roles: Sequence[Role], subject: Subject, cluster: Cluster) -> bool:
    """Whether a person may know that the cluster exists: a role selects it and none denies it."""
    person = Person(subject, cluster)
    try:
        return denied_cluster(roles, person) is None and any(
            person.mismatch(role) is None for role in roles
        )
    except Exception:  # noqa: BLE001 - total, as decide()
        return False


def _decide(roles: Sequence[Role], person: Person, request: Request) -> Decision:
    refusal = denied_cluster(roles, person)
    if refusal is not None:
        return refusal
    ask = ask_of(request)
    for role in roles:
        if role.deny.resources.texts:
            rule = denying_rule(role.deny.resources.bind(person.lookup), ask)
            if rule is not None:
                reason = f"role {role.name} denies it ({rule.path})"
                return Decision(allowed=False, reason=reason, role=role.name, rule=rule.path)
    free = is_self_review(request) if request.resource else is_discovery(request)
    matched: list[Role] = []
    deciding = ""
    selected = 0
    for role in roles:
        if person.mismatch(role) is not None:
            continue
        selected += 1
        path = "discovery" if free else allowing_path(role, person, ask, request)
        if path:
            matched.append(role)
            deciding = deciding or path
    if not matched:
        return Decision(allowed=False, reason=_nobody(request, selected))
    answer = _permit(roles, matched, person, deciding)
    if answer.allowed and ask.every and is_partial(roles, person, ask):
        return replace(answer, partial=True)
    return answer


def denying_rule(index: Index, ask: Ask) -> Rule | None:
    """The first deny rule that refuses the request whole."""
    for verb in ask.denied_by:
        for rule in index.candidates(verb, ask.kind):
            if rule.denies_all(ask) if ask.every else rule.denies(ask):
                return rule
    if ask.kind == "namespaces" and not ask.every and "delete" in ask.denied_by:
        # Who may not delete what is inside may not delete the whole (stricter than Teleport).
        for rule in index.within:
            if rule.verbs & _DELETES and rule.namespace.match(ask.name):
                return rule
    return None


def allowing_path(role: Role, person: Person, ask: Ask, request: Request) -> str:
    """The path of the rule that allows the request; empty when none does."""
    index = role.allow.resources.bind(person.lookup)
    if not request.resource:
        return _path_rule(index, request)
    path = ""
    for verb in ask.verbs:
        path = _rule_for(index, ask, verb)
        if not path:
            return ""
    return path


def _rule_for(index: Index, ask: Ask, verb: str) -> str:
    for rule in index.candidates(verb, ask.kind):
        if rule.may_allow(ask) if ask.every else rule.allows(ask):
            return rule.path
    if ask.kind == "namespaces" and verb in _READS:
        # Who has any right within a namespace may see that the namespace is there.
        for rule in index.within:
            if ask.every or rule.namespace.match(ask.name):
                return rule.path
    return ""


def _path_rule(index: Index, request: Request) -> str:
    """Paths such as /metrics are for those who may do everything with this verb."""
    verb = "get" if request.verb == "head" else request.verb
    for rule in index.candidates(verb, "*"):
        everything = rule.group.is_any and rule.name.is_any and rule.namespace.is_any
        if everything and not rule.except_kinds:
            return rule.path
    return ""


def _permit(roles: Sequence[Role], matched: list[Role], person: Person, path: str) -> Decision:
    first = matched[0].name
    given = grant(roles, matched, person)
    if given.fault:
        return Decision(
            allowed=False,
            reason=f"role {first} allows it ({path}), but {given.fault}",
            role=first,
            rule=path,
            dropped=given.dropped,
        )
    return Decision(
        allowed=True,
        reason=f"role {first} allows it ({path})",
        users=("*",) if given.anybody else tuple(given.users),
        groups=tuple(given.groups),
        role=first,
        rule=path,
        roles=tuple(role.name for role in matched),
        never_users=given.never_users,
        dropped=given.dropped,
    )


def _nobody(request: Request, selected: int) -> str:
    if not selected:
        return "no role selects this cluster"
    if not request.resource:
        return f"no role allows {request.verb} {request.path[:80] or 'this path'}"
    thing = request.resource + (f"/{request.subresource}" if request.subresource else "")
    group = f".{request.api_group}" if request.api_group else ""
    name = f" {request.name}" if request.name else ""
    place = f" in namespace {request.namespace}" if request.namespace else ""
    return f"no role allows {request.verb} {thing}{group}{name}{place}"
