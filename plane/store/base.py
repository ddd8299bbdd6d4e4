"""The store's one protocol: kind + name + revision + JSON document (+ expiry).

Every implementation passes tests/plane/store/conformance.py.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Body = Mapping[str, Any]  # a JSON object; the resources room gives it a type


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One stored thing. Revisions grow store-wide and never repeat; `expires` is epoch seconds."""

    kind: str
    name: str
    revision: int
    body: Body
    expires: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One put of a batch; `expected` 0: must not exist, None: whatever is there."""

    kind: str
    name: str
    body: Body
    expected: int | None = None
    expires: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a watcher hears: the new document, or None when it was deleted or expired."""

    kind: str
    name: str
    revision: int
    document: Document | None


class Store(Protocol):
    """Compare-and-swap documents. Expired ones are never returned."""

    async def get(self, kind: str, name: str) -> Document | None:
        """The document, or None."""
        ...

    async def all(self, kind: str) -> list[Document]:
        """Every document of a kind, by name."""
        ...

    async def put(self, write: Write) -> Document:
        """Create or replace; Conflict when `expected` is not what is stored."""
        ...

    async def put_all(self, writes: list[Write]) -> list[Document]:
        """All of them or, on the first Conflict, none."""
        ...

    async def delete(self, kind: str, name: str, *, expected: int | None = None) -> bool:
        """False when it was not there; Conflict when its revision is not `expected`."""
        ...

    def watch(self, kind: str | None = None) -> AsyncIterator[Change]:
        """Changes from now on, in order; subscribed when this returns, not at first use."""
        ...

    async def close(self) -> None:
        """Finish writes and release the files."""
        ...
