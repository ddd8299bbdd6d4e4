"""The documents of a store in memory: reads cost a dict lookup; no I/O."""

import heapq
from collections import defaultdict

from plane.store.base import Change, Document

_Expiry = tuple[float, str, str, int]


class Shelf:
    """Documents by kind and name, and which expires next."""

    def __init__(self) -> None:
        self._kinds: defaultdict[str, dict[str, Document]] = defaultdict(dict)
        self._expiries: list[_Expiry] = []

    def __len__(self) -> int:
        return sum(len(names) for names in self._kinds.values())

    def get(self, kind: str, name: str, *, now: float) -> Document | None:
        """The document unless it is missing or expired."""
        document = self._kinds[kind].get(name) if kind in self._kinds else None
        return None if document is None or _expired(document, now) else document

    def all(self, kind: str, *, now: float) -> list[Document]:
        """Every live document of a kind, by name."""
        if kind not in self._kinds:
            return []
        live = (each for each in self._kinds[kind].values() if not _expired(each, now))
        return sorted(live, key=lambda each: each.name)

    def apply(self, change: Change) -> None:
        """Make a change that the store has kept."""
        if change.document is None:
            self._kinds[change.kind].pop(change.name, None)
            return
        document = change.document
        self._kinds[document.kind][document.name] = document
        if document.expires is not None:
            entry = (document.expires, document.kind, document.name, document.revision)
            heapq.heappush(self._expiries, entry)

    def next_expiry(self) -> float | None:
        """When the earliest document may expire (epoch seconds; it may be replaced since)."""
        return self._expiries[0][0] if self._expiries else None

    def pop_expired(self, *, now: float) -> list[Document]:
        """Take from the queue (not from the shelf) what has expired and was not replaced."""
        expired = []
        while self._expiries and self._expiries[0][0] <= now:
            _, kind, name, revision = heapq.heappop(self._expiries)
            document = self._kinds[kind].get(name)
            if document is not None and document.revision == revision:
                expired.append(document)
        return expired


def _expired(document: Document, now: float) -> bool:
    return document.expires is not None and document.expires <= now
