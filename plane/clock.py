"""Time and randomness, in one place that tests replace.

Wall-clock instants are UTC seconds since the epoch (float); texts are RFC 3339 with milliseconds.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def random_uuid() -> str:
    """A version 4 UUID (RFC 9562 section 5.4); each request has one, and uuid.uuid4 is slower."""
    text = secrets.token_hex(16)
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What the program asks about time and chance; `SYSTEM` is the real one."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    token: Callable[[int], str] = secrets.token_urlsafe
    uuid: Callable[[], str] = random_uuid


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
