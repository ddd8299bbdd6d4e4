"""The nouns of a decision; standard library only, no I/O.

Owned by the policies room; other rooms import Subject, Cluster, Request and Decision from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    which is then in `path`.
    """

    verb: str
    api_group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with its reason; users and groups are the principals that may be sent.

    No user in `users` means: the person's own name. `users == ("*",)` means any.
    """

    allowed: bool
    reason: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    role: str = ""
    rule: str = ""
