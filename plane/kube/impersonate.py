"""The only file that writes `Impersonate-User` and `Impersonate-Group`.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
plane's own credential may impersonate anybody, so impersonation that gets lost fails open: the
client's headers are stripped first (headers.py), ours are set last, and then the list is checked.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from plane.kube.headers import Headers
from policies.model import Decision

AUTHENTICATED = "system:authenticated"
_PREFIX = b"impersonate"
# CR, LF or NUL in a principal would start a header of the attacker's choice.
_LEGAL = re.compile(r"[^\x00-\x1f\x7f]+")


class ImpersonationError(Exception):
    """The request must not be sent as anybody; the sentence is for the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principals:
    """Who the cluster will see; `groups` always end with system:authenticated."""

    user: str
    groups: tuple[str, ...]


def choose(decision: Decision, person: str, client_headers: Headers) -> Principals:
    """Pick user and groups out of what the roles allow and what the client asked for by --as."""
    user, groups = _asked(client_headers)
    if user is None:
        user = _default_user(decision, person)
    if not (decision.permits_user(user) if decision.users else user == person) or (
        # "Any user" never means one of the cluster's own: those a role must write out.
        user.startswith("system:") and user not in decision.users
    ):
        message = f"your roles do not let you act as the Kubernetes user {user!r}"
        raise ImpersonationError(message)
    if groups:
        refused = [group for group in groups if group not in (*decision.groups, AUTHENTICATED)]
        if refused:
            message = f"your roles do not give you the Kubernetes group {refused[0]!r}"
            raise ImpersonationError(message)
        return _principals(user, tuple(groups))
    return _principals(user, decision.groups)


def head_lines(principals: Principals) -> Headers:
    """Our impersonation headers: one user, and one line per group (never comma-joined)."""
    return list(_encoded(principals))


def assert_none(headers: Headers) -> None:
    """Refuse when any header of the impersonation family is left before ours are set."""
    for name, _ in headers:
        if name[: len(_PREFIX)].lower() == _PREFIX:
            raise ImpersonationError("an impersonation header was left over; nothing was sent")


# The same for nearly every request of a session; what is illegal is never remembered.
@lru_cache(maxsize=1024)
def _principals(user: str, groups: tuple[str, ...]) -> Principals:
    # Impersonate-Group replaces the default groups, so the one everybody has is set by hand.
    named = [group for group in dict.fromkeys(groups) if group != AUTHENTICATED]
    principals = Principals(user=user, groups=(*named, AUTHENTICATED))
    for value in (principals.user, *principals.groups):
        if not _LEGAL.fullmatch(value):
            message = "a Kubernetes user or group holds characters no header may carry"
            raise ImpersonationError(message)
    return principals


@lru_cache(maxsize=1024)
def _encoded(principals: Principals) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"Impersonate-User", principals.user.encode()),
        *((b"Impersonate-Group", group.encode()) for group in principals.groups),
    )


def _default_user(decision: Decision, person: str) -> str:
    named = [user for user in decision.users if user != "*"]
    if not named:
        if person.startswith("system:"):
            # The cluster's own names are never taken from an identity provider.
            raise ImpersonationError("your user name is one that Kubernetes keeps for itself")
        return person
    if len(named) > 1:
        listed = ", ".join(sorted(named))
        message = f"your roles allow several Kubernetes users; choose one with --as: {listed}"
        raise ImpersonationError(message)
    return named[0]


def _asked(headers: Headers) -> tuple[str | None, list[str]]:
    """The client's --as and --as-group; Uid, Extra-* and odd spellings are refused, not dropped."""
    users: list[str] = []
    groups: list[str] = []
    for name, value in headers:
        if name[: len(_PREFIX)].lower() != _PREFIX:
            continue
        low = name.lower()
        if low == b"impersonate-user":
            users.append(_text(value))
        elif low == b"impersonate-group":
            groups.append(_text(value))
        else:
            message = f"the header {name.decode('latin-1')!r} is not allowed through plane"
            raise ImpersonationError(message)
    users = [user for user in users if user]
    if len(users) > 1:
        raise ImpersonationError("Impersonate-User was sent more than once")
    return (users[0] if users else None), [group for group in groups if group]


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ImpersonationError("an impersonation header is not UTF-8") from error
