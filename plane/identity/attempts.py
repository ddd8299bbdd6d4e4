"""How often somebody may guess a password: free tries, then waits that double.

Counted for the pair of user and address (a forgetful person), for the address alone (one machine
trying many users) and for the user alone (many machines trying one user; its wait stays short, so
that nobody can lock another person out for long). Unknown users count alike.
"""

from collections import OrderedDict
from dataclasses import dataclass

from plane.clock import SYSTEM, Clock
from plane.errors import TooManyRequests

_LIMIT = 20_000
# A quiet day forgives everything.
_FORGET_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class _Rule:
    free: int
    longest_wait_seconds: float


_PAIR = _Rule(free=5, longest_wait_seconds=15 * 60.0)
_ADDRESS = _Rule(free=50, longest_wait_seconds=15 * 60.0)
_USER = _Rule(free=30, longest_wait_seconds=60.0)


@dataclass(slots=True)
class _Count:
    failures: int = 0
    blocked_until: float = 0.0
    last: float = 0.0


class Attempts:
    """The failures of late, bounded in number; the least recent are forgotten first."""

    def __init__(self, clock: Clock = SYSTEM, *, limit: int = _LIMIT) -> None:
        self._clock = clock
        self._limit = limit
        self._counts: OrderedDict[tuple[str, str, str], _Count] = OrderedDict()

    def begin(self, user: str, address: str) -> None:
        """Count a try as failed until `succeeded` says otherwise; TooManyRequests to wait first.

        Counted before the password is checked, or a hundred parallel guesses would all be free.
        """
        now = self._clock.monotonic()
        rules = _rules(user, address)
        waits = [self._wait(key, now) for key, _ in rules]
        if max(waits) > 0:
            seconds = int(max(waits)) + 1
            raise TooManyRequests(f"Too many failed attempts; try again in {seconds} seconds.")
        for key, rule in rules:
            self._count(key, rule, now)
        while len(self._counts) > self._limit:
            self._counts.popitem(last=False)

    def succeeded(self, user: str, address: str) -> None:
        """Forget this pair's failures and take back what `begin` counted for the others.

        The address keeps its other failures: an attacker's own account must not wash it clean.
        """
        for key, rule in _rules(user, address):
            count = self._counts.get(key)
            if count is None:
                continue
            count.failures = 0 if rule is _PAIR else max(0, count.failures - 1)
            count.blocked_until = 0.0 if count.failures < rule.free else count.blocked_until

    def _wait(self, key: tuple[str, str, str], now: float) -> float:
        count = self._counts.get(key)
        return 0.0 if count is None else count.blocked_until - now

    def _count(self, key: tuple[str, str, str], rule: _Rule, now: float) -> None:
        count = self._counts.setdefault(key, _Count())
        self._counts.move_to_end(key)
        if now - count.last > _FORGET_SECONDS:
            count.failures = 0
        count.failures += 1
        count.last = now
        beyond = count.failures - rule.free
        if beyond >= 0:
            # min() first: 2 to the power of a long attack is no float any more.
            wait = min(2.0 ** min(beyond, 20), rule.longest_wait_seconds)
            count.blocked_until = now + wait


def _rules(user: str, address: str) -> tuple[tuple[tuple[str, str, str], _Rule], ...]:
    return (
        (("pair", user, address), _PAIR),
        (("address", "", address), _ADDRESS),
        (("user", user, ""), _USER),
    )
