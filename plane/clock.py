"""Time and randomness, in one place that tests replace.

Wall-clock instants are UTC seconds since the epoch (float); texts are RFC 3339 with milliseconds.
"""

import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What the program asks about time and chance; `SYSTEM` is the real one."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    token: Callable[[int], str] = secrets.token_urlsafe
    uuid: Callable[[], str] = lambda: str(uuid.uuid4())


SYSTEM = Clock()


def rfc3339(seconds: float) -> str:
    """Write an instant as RFC 3339 UTC with milliseconds: `2026-11-23T12:00:00.000Z`."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def from_rfc3339(text: str) -> float:
    """Read an RFC 3339 instant; a ValueError when it has no offset or is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"{text!r} has no time zone"
        raise ValueError(message)
    return moment.timestamp()
