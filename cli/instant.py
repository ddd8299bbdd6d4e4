"""Instants and durations as people and machines write them."""

import re
from datetime import UTC, datetime

from cli.errors import CliError, ExitCode

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d+)([smhdw])")


def rfc3339(seconds: float) -> str:
    """Write UTC epoch seconds as `2026-11-23T12:00:00Z` (whole seconds, as Kubernetes does)."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def from_rfc3339(text: str) -> float:
    """Read an RFC 3339 instant as epoch seconds; ValueError when it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()


def duration_seconds(text: str) -> int:
    """Read `90s`, `1h30m`, `7d` as seconds; anything else is a usage error."""
    if not re.fullmatch(rf"({_DURATION.pattern})+", text):
        message = f"{text!r} is no duration"
        raise CliError(message, hint="Write for example 30m, 12h or 7d.", code=ExitCode.USAGE)
    return sum(int(count) * _UNIT_SECONDS[unit] for count, unit in _DURATION.findall(text))


def since(text: str, *, now: float) -> str:
    """Turn a duration back from now, or an instant, into RFC 3339."""
    if _DURATION.match(text) and "T" not in text:
        return rfc3339(now - duration_seconds(text))
    try:
        return rfc3339(from_rfc3339(text))
    except ValueError:
        message = f"{text!r} is neither a duration nor a time"
        hint = "Write for example 1h, or 2026-11-23T12:00:00Z."
        raise CliError(message, hint=hint, code=ExitCode.USAGE) from None


def span(seconds: float) -> str:
    """Write a length of time roughly: `42s`, `7m`, `5h12m`, `3d`."""
    whole = int(abs(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d"
