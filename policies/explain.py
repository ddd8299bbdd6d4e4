"""Why a decision came out as it did: role by role, in words that its owner can act on.

Shows only roles that the person holds, so it tells nobody of clusters or roles of others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from policies.ask import ask_of
from policies.compiled import compiled
from policies.decide import allowing, decide, denying
from policies.model import Cluster, Decision, Request, Role, Subject
from policies.person import Person, denied_cluster
from policies.resources import Ask, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleStory:
    """What one role did: `verdict` is denies, allows, silent (no rule fits) or elsewhere."""

    role: str
    verdict: str
    rule: str = ""
    why: str = ""
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = {"denies": "denies", "allows": "allows", "silent": "-", "elsewhere": "-"}
        rule = f" ({self.rule})" if self.rule else ""
        return f"{self.role}: {words[self.verdict]}{rule} {self.why}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The decision and every role's part in it."""

    decision: Decision
    roles: tuple[RoleStory, ...]

    def lines(self) -> tuple[str, ...]:
        """For a terminal: the answer, the roles, the principals that would be sent."""
        got = self.decision
        out = [("allowed" if got.allowed else "denied") + f": {got.reason}"]
        out += [f"  {story}" for story in self.roles]
        if got.allowed:
            users = ", ".join(got.users) or "the person's own name"
            out.append(f"  as user {users}, groups {', '.join(got.groups) or 'none'}")
        out += [f"  left out: {dropped}" for dropped in got.dropped]
        return tuple(out)


def explain(
    roles: Sequence[Role], subject: Subject, cluster: Cluster, request: Request
) -> Explanation:
    """Decide, and tell each role's part; total as decide()."""
    person = Person(subject, cluster)
    return Explanation(
        decision=decide(roles, subject, cluster, request),
        roles=tuple(_story(role, person, request) for role in roles),
    )


def _story(role: Role, person: Person, request: Request) -> RoleStory:
    try:
        return _denial(role, person, request) or _part(role, person, request)
    except Exception as error:  # noqa: BLE001 - told as decide() would: it denies
        return RoleStory(role=role.name, verdict="denies", why=f"it cannot be judged: {error}")


def _denial(role: Role, person: Person, request: Request) -> RoleStory | None:
    closed = denied_cluster([role], person)
    if closed is not None:
        return RoleStory(role=role.name, verdict="denies", rule=closed.rule, why="the cluster")
    tables = compiled([role]).deny.tables(person.lookup)
    for rule in denying(tables, ask_of(request)).values():
        return RoleStory(role=role.name, verdict="denies", rule=rule.path, why=_speaks(rule))
    return None


def _part(role: Role, person: Person, request: Request) -> RoleStory:
    mismatch = person.mismatch(role)
    if mismatch is not None:
        why = f"does not select the cluster: {mismatch}"
        return RoleStory(role=role.name, verdict="elsewhere", why=why)
    ask = ask_of(request)
    hits = allowing(compiled([role]), person, ask, request)
    if not hits:
        index = role.allow.resources.bind(person.lookup)
        return RoleStory(role=role.name, verdict="silent", why=_nearest(index.rules, ask))
    rule = hits[0]
    return RoleStory(
        role=role.name,
        verdict="allows",
        rule=rule.path if rule else "discovery",
        why=_speaks(rule) if rule else "",
        users=("*",) if role.allow.users.anybody else _names(role, person, "users"),
        groups=_names(role, person, "groups"),
    )


def _names(role: Role, person: Person, which: str) -> tuple[str, ...]:
    principals = role.allow.users if which == "users" else role.allow.groups
    return tuple(principals.expand(person.lookup).entries)


def _speaks(rule: Rule) -> str:
    group = f".{rule.group.source}" if rule.group.source not in ("", "*") else ""
    place = rule.namespace.source or "no namespace"
    return f"{rule.kind}{group} {rule.name.source} in {place}"


def _nearest(rules: Sequence[Rule], ask: Ask) -> str:
    """The rule that fits longest, and where it stops to fit."""
    best = max(rules, key=lambda rule: _score(rule, ask)[0], default=None)
    if best is None:
        return "gives no objects"
    return f"its closest rule {best.path} is for {_score(best, ask)[1]}"


def _score(rule: Rule, ask: Ask) -> tuple[int, str]:
    """How many predicates hold, in the order kind, group, namespace, name, verb."""
    fitting = 0
    for holds, what in (
        (rule.speaks_of(ask.kind), f"kind {rule.kind}, not {ask.kind or 'paths'}"),
        (rule.group.match(ask.group), f"api_group {rule.group.source!r}, not {ask.group!r}"),
        (
            not ask.namespace or rule.in_namespace(ask.namespace),
            f"namespace {rule.namespace.source!r}, not {ask.namespace!r}",
        ),
        (ask.every or rule.name.match(ask.name), f"name {rule.name.source!r}, not {ask.name!r}"),
        (
            rule.verbs.issuperset(ask.verbs),
            f"{', '.join(sorted(rule.verbs))}, not {' and '.join(ask.verbs)}",
        ),
    ):
        if not holds:
            return fitting, what
        fitting += 1
    return fitting, "objects in no namespace or in another"
