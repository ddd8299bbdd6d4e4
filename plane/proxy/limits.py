"""How much one session may have under way at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from plane.errors import TooManyRequests

PER_SESSION = 1000


class Limits:
    """Counts calls under way per session; a lease ends with its call, however that ends."""

    def __init__(self, per_session: int = PER_SESSION) -> None:
        self._per_session = per_session
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def lease(self, session_id: str) -> Iterator[None]:
        """Hold a place; TooManyRequests when the session has too many."""
        if self._under_way[session_id] >= self._per_session:
            message = f"you have {self._per_session} requests under way; end some first"
            raise TooManyRequests(message)
        self._under_way[session_id] += 1
        try:
            yield
        finally:
            self._under_way[session_id] -= 1
            if not self._under_way[session_id]:
                del self._under_way[session_id]
