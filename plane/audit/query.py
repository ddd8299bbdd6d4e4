"""A question to the audit log, and whether a line answers it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from plane.clock import rfc3339

Line = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which lines; empty fields match all. Instants are epoch seconds, `until` is exclusive."""

    user: str = ""
    cluster: str = ""
    verb: str = ""
    type: str = ""
    namespace: str = ""
    resource: str = ""
    code: int | None = None
    since: float | None = None
    until: float | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What can be asked about a line; `time` is RFC 3339, so that texts sort as instants do."""

    user: str
    cluster: str
    verb: str
    type: str
    namespace: str
    resource: str
    code: int | None
    time: str


def facts(line: Line) -> Facts:
    """Read the facts out of a line; what is missing is empty."""
    user, reference = _part(line, "user"), _part(line, "objectRef")
    code = _part(line, "responseStatus").get("code")
    return Facts(
        user=_text(user, "username"),
        cluster=_text(line, "cluster"),
        verb=_text(line, "verb"),
        type=_text(line, "type"),
        namespace=_text(reference, "namespace"),
        resource=_text(reference, "resource"),
        code=code if isinstance(code, int) else None,
        time=_text(line, "stageTimestamp"),
    )


TEXTS = ("user", "cluster", "verb", "type", "namespace", "resource")


def matches(query: Query, found: Facts) -> bool:
    """Whether a line with these facts is asked for."""
    if any(getattr(query, key) not in ("", getattr(found, key)) for key in TEXTS):
        return False
    if query.code is not None and query.code != found.code:
        return False
    if query.since is not None and found.time < rfc3339(query.since):
        return False
    return query.until is None or found.time < rfc3339(query.until)


def _part(line: Line, key: str) -> Line:
    value = line.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(line: Line, key: str) -> str:
    value = line.get(key)
    return value if isinstance(value, str) else ""
