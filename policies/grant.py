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
    """The collected principals; `fault` says why they cannot be used, empty when they can.

    `roles` are those that contribute: one whose users are all denied or refused is left out, so
    that its groups do not go to a user it did not mean.
    """

    roles: list[Role] = field(default_factory=list)
    users: dict[str, None] = field(default_factory=dict)
    groups: dict[str, None] = field(default_factory=dict)
    anybody: bool = False
    never_users: tuple[Pattern, ...] = ()
    dropped: tuple[str, ...] = ()
    fault: str = ""


def grant(roles: Sequence[Role], matched: Sequence[Role], person: Person) -> Grant:
    """Collect from the matching roles, less what any of the person's roles denies."""
    never_groups = tuple(pattern for role in roles for pattern in role.deny.groups)
    out = Grant(never_users=tuple(pattern for role in roles for pattern in role.deny.users))
    for role in matched:
        groups = role.allow.groups.expand(person.lookup)
        users = role.allow.users.expand(person.lookup)
        out.dropped += groups.dropped + users.dropped
        left = _without(users.entries, out.never_users)
        if (users.entries or users.dropped) and not left and not role.allow.users.anybody:
            continue
        out.roles.append(role)
        out.users.update(left)
        out.groups.update(_without(groups.entries, never_groups))
        out.anybody = out.anybody or role.allow.users.anybody
    out.fault = _fault(out, person)
    return out


def _without(names: dict[str, None], never: tuple[Pattern, ...]) -> dict[str, None]:
    if not never:
        return names
    return {name: None for name in names if not any(pattern.match(name) for pattern in never)}


def _fault(out: Grant, person: Person) -> str:
    if not out.roles:
        return "all users it gives are denied or refused"
    if not (out.groups or out.users or out.anybody):
        return "it gives no kubernetes_groups and no kubernetes_users"
    if len(out.groups) > MAX_GROUPS:
        return f"it gives {len(out.groups)} groups, more than {MAX_GROUPS}"
    return _name_fault(out, person.subject.name)


def _name_fault(out: Grant, name: str) -> str:
    """The person's own name is what goes on where no user is given or chosen."""
    if out.users and not out.anybody:
        return ""
    reason = fault(name) if out.anybody else foreign_fault(name)
    if reason:
        return f"the name {name[:80]!r} cannot be used: {reason}"
    if not out.anybody and any(pattern.match(name) for pattern in out.never_users):
        return "the user name is denied"
    return ""
