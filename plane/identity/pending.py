"""What waits for somebody to come back: bounded in number and time, found by an unguessable key.

Anybody can begin a login, so neither one address nor all together may fill the memory.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Generic, TypeVar

from plane.clock import SYSTEM, Clock
from plane.errors import TooManyRequests

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[_T]):
    value: _T
    owner: str
    deadline: float


class Pending(Generic[_T]):
    """Values that can be taken once, or looked at, until `ttl_seconds` are over."""

    def __init__(
        self,
        *,
        ttl_seconds: float,
        limit: int = 10_000,
        limit_per_owner: int = 200,
        clock: Clock = SYSTEM,
    ) -> None:
        self._ttl_seconds = ttl_seconds
        self._limit = limit
        self._limit_per_owner = limit_per_owner
        self._clock = clock
        # One lifetime for all, so the order of insertion is the order of expiry.
        self._entries: dict[str, _Entry[_T]] = {}
        self._owners: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<Pending {len(self._entries)}>"

    def new_key(self) -> str:
        """A key for a value that will be put later."""
        return self._clock.token(32)

    def put(self, value: _T, *, owner: str, key: str = "") -> str:
        """Keep a value; its key. TooManyRequests when `owner` (an address) or all have too many."""
        self._drop_expired()
        if len(self._entries) >= self._limit or self._owners[owner] >= self._limit_per_owner:
            raise TooManyRequests("Too many logins are under way; try again in a few minutes.")
        key = key or self.new_key()
        deadline = self._clock.monotonic() + self._ttl_seconds
        self._entries[key] = _Entry(value, owner, deadline)
        self._owners[owner] += 1
        return key

    def get(self, key: str) -> _T | None:
        """The value, which stays; None when it is unknown, taken or too old."""
        self._drop_expired()
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    def take(self, key: str) -> _T | None:
        """The value, once."""
        self._drop_expired()
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._remove(key, entry)
        return entry.value

    def _drop_expired(self) -> None:
        now = self._clock.monotonic()
        expired = []
        for key, entry in self._entries.items():
            if entry.deadline > now:
                break
            expired.append((key, entry))
        for key, entry in expired:
            self._remove(key, entry)

    def _remove(self, key: str, entry: _Entry[_T]) -> None:
        del self._entries[key]
        self._owners[entry.owner] -= 1
        if not self._owners[entry.owner]:
            del self._owners[entry.owner]
