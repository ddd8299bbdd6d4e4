"""The nouns of a decision; standard library only, no I/O.

Owned by the policies room; other rooms import Subject, Cluster, Request and Decision from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.conditions import Impersonate, RequestConditions, ReviewConditions
from policies.expression import Expression
from policies.labels import LabelSelector
from policies.options import RoleOptions
from policies.patterns import Pattern
from policies.principals import Principals
from policies.resources import NO_RULE_SET, RuleSet

Traits = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who asks: the user name that audit shows, and the traits from connector or local user."""

    name: str
    traits: Traits = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where to: the cluster's name and labels (the implicit label `name` is added by decide)."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What: plane's own verb (exec, portforward, proxy follow the subresource, not the method).

    `resource` is plural as in the API (`pods`); empty for a non-resource path such as /version,
    which is then in `path`. `namespaced` is what discovery says of the kind, None when unknown.
    """

    verb: str
    api_group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    namespaced: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with its reason; users and groups are the principals that may be sent.

    No user in `users` means: the person's own name. `users == ("*",)` means any that `never_users`
    does not match. `role` and `rule` decided, `roles` are all that let this request pass. `partial`
    says that a collection holds items that must be left out (decide.filter_for). `dropped` tells
    the log which principals were refused, and why.
    """

    allowed: bool
    reason: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    role: str = ""
    rule: str = ""
    roles: tuple[str, ...] = ()
    partial: bool = False
    never_users: tuple[Pattern, ...] = ()
    dropped: tuple[str, ...] = ()

    def permits_user(self, name: str) -> bool:
        """Whether a client may choose this user with --as."""
        if self.users == ("*",):
            return not any(pattern.match(name) for pattern in self.never_users)
        return name in self.users


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRule:
    """A right on plane's own resources: `rules` in a role."""

    path: str
    resources: frozenset[str]
    verbs: frozenset[str]
    where: Expression | None = None

    def fits(self, resource: str, verb: str) -> bool:
        """Whether the rule speaks of this, its `where` aside."""
        return bool({resource, "*"} & self.resources) and bool({verb, "*"} & self.verbs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """What a role gives."""

    labels: LabelSelector | None = None
    expression: Expression | None = None
    groups: Principals = field(default_factory=Principals)
    users: Principals = field(default_factory=Principals)
    resources: RuleSet = NO_RULE_SET
    rules: tuple[ApiRule, ...] = ()
    impersonate: Impersonate = field(default_factory=Impersonate)
    request: RequestConditions = field(default_factory=RequestConditions)
    reviews: ReviewConditions = field(default_factory=ReviewConditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """What a role takes away; each part by itself, whatever the others say."""

    labels: LabelSelector | None = None
    expression: Expression | None = None
    groups: tuple[Pattern, ...] = ()
    users: tuple[Pattern, ...] = ()
    resources: RuleSet = NO_RULE_SET
    rules: tuple[ApiRule, ...] = ()
    impersonate: Impersonate = field(default_factory=Impersonate)
    request: RequestConditions = field(default_factory=RequestConditions)
    reviews: ReviewConditions = field(default_factory=ReviewConditions)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Role:
    """A role, read and checked; `warnings` are for whoever applied it."""

    name: str
    version: str = "v8"
    allow: Allow = field(default_factory=Allow)
    deny: Deny = field(default_factory=Deny)
    options: RoleOptions = field(default_factory=RoleOptions)
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Role({self.name!r}, {self.version})"
