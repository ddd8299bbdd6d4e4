"""Parts of a role for requests, reviews and impersonation inside plane's API; data only so far.

They are read and checked with the role, so that a slip is found when it is applied; the rooms that
act on them come with access requests (docs/reference/roles.md says which fields act today).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.expression import Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonate:
    """For which users and roles a person may have credentials made."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    where: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """How many reviewers approve or deny a request."""

    name: str = ""
    approve: int = 1
    deny: int = 1
    filter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedKind:
    """A kind of object that may be asked for."""

    kind: str
    api_group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestConditions:
    """Which access a person may ask for; durations are seconds."""

    roles: tuple[str, ...] = ()
    search_as_roles: tuple[str, ...] = ()
    suggested_reviewers: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    annotations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    max_duration_seconds: int | None = None
    kubernetes_resources: tuple[RequestedKind, ...] = ()
    reason_required: bool = False
    reason_prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewConditions:
    """Which requests a person may decide on."""

    roles: tuple[str, ...] = ()
    preview_as_roles: tuple[str, ...] = ()
    where: Expression | None = None
