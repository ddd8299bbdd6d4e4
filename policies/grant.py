"""As whom a permitted request may go on: the principals of the roles that let it pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from policies.model import Role
from policies.patterns import Pattern
from policies.person import Person
from policies.principals import fault, foreign_fault

# A head with more would be refused by the cluster, with an error that nobody understands.
MAX_GROUPS = 500


@dataclass(slots=True, kw_only=True)
class Grant:
    """The collected principals; `fault` says why they cannot be used, empty when they can."""

    users: dict[str, None] = field(default_factory=dict)
    groups: dict[str, None] = field(default_factory=dict)
    anybody: bool = False
    never_users: tuple[Pattern, ...] = ()
    dropped: tuple[str, ...] = ()
    fault: str = ""


def grant(roles: Sequence[Role], matched: Sequence[Role], person: Person) -> Grant:
    """Collect from the matching roles, then take away what any role denies."""
    out = Grant()
    lost_users = False
    for role in matched:
        allow = role.allow
        groups = allow.groups.expand(person.lookup)
        users = allow.users.expand(person.lookup)
        out.groups.update(groups.entries)
        out.users.update(users.entries)
        if groups.dropped or users.dropped:
            out.dropped += groups.dropped + users.dropped
            lost_users = lost_users or bool(users.dropped)
        out.anybody = out.anybody or allow.users.anybody
    lost_users = _take_away(roles, out, person) or lost_users
    out.fault = out.fault or _fault(out, person, lost_users=lost_users)
    return out


def _take_away(roles: Sequence[Role], out: Grant, person: Person) -> bool:
    """Apply the denied names; tells whether a user was lost."""
    lost = False
    for role in roles:
        for pattern in role.deny.groups:
            out.groups = {name: None for name in out.groups if not pattern.match(name)}
        if role.deny.users:
            out.never_users += role.deny.users
            kept = {n: None for n in out.users if not any(p.match(n) for p in role.deny.users)}
            lost = lost or len(kept) < len(out.users)
            out.users = kept
            if any(pattern.match(person.subject.name) for pattern in role.deny.users):
                out.fault = "" if out.users or out.anybody else "the user name is denied"
    return lost


def _fault(out: Grant, person: Person, *, lost_users: bool) -> str:
    name = person.subject.name
    if not (out.groups or out.users or out.anybody):
        return "it gives no kubernetes_groups and no kubernetes_users"
    if len(out.groups) > MAX_GROUPS:
        return f"it gives {len(out.groups)} groups, more than {MAX_GROUPS}"
    if out.users or (out.anybody and fault(name) is None):
        return ""
    if lost_users and not out.anybody:
        return "all users it gives are denied or refused"
    reason = fault(name) if out.anybody else foreign_fault(name)
    return f"the name {name[:80]!r} cannot be used: {reason}" if reason else ""
