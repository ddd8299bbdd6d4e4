"""A store that forgets at exit: for tests and for trying things out."""

import json
from collections.abc import Iterable

from plane.clock import SYSTEM, Clock
from plane.errors import Conflict
from plane.store.base import Change, Document, Write
from plane.store.expiry import Expiry
from plane.store.shelf import Shelf
from plane.store.watch import Watch, Watchers


def conflict(kind: str, name: str, *, expected: int, stored: int) -> Conflict:
    """The refusal of a compare-and-swap, saying what stood in the way."""
    if expected == 0:
        return Conflict(f"{kind} {name!r} exists already (revision {stored})")
    if stored == 0:
        return Conflict(f"{kind} {name!r} does not exist any more: it was deleted in between")
    return Conflict(
        f"{kind} {name!r} was changed in between: revision {stored} is stored, you have "
        f"{expected}; get it again and repeat your change"
    )


class MemoryStore:
    """plane.store.base.Store in a dict."""

    def __init__(self, *, clock: Clock = SYSTEM, queue_limit: int | None = None) -> None:
        self._clock = clock
        self._shelf = Shelf()
        self._watchers = Watchers() if queue_limit is None else Watchers(limit=queue_limit)
        self._revision = 0
        self._expiry = Expiry(self._due, self.sweep)

    def __repr__(self) -> str:
        return f"<MemoryStore {len(self._shelf)} documents, revision {self._revision}>"

    async def get(self, kind: str, name: str) -> Document | None:
        """The document, or None."""
        return self._shelf.get(kind, name, now=self._clock.now())

    async def all(self, kind: str) -> list[Document]:
        """Every document of a kind, by name."""
        return self._shelf.all(kind, now=self._clock.now())

    async def put(self, write: Write) -> Document:
        """Create or replace; Conflict when `expected` is not what is stored."""
        return (await self.put_all([write]))[0]

    async def put_all(self, writes: list[Write]) -> list[Document]:
        """All of them or, on the first Conflict, none."""
        bodies = [json.loads(json.dumps(write.body, allow_nan=False)) for write in writes]
        revisions: dict[tuple[str, str], int] = {}
        documents = []
        for revision, (write, body) in enumerate(
            zip(writes, bodies, strict=True), self._revision + 1
        ):
            key = (write.kind, write.name)
            self._check(write.kind, write.name, write.expected, revisions.get(key))
            revisions[key] = revision
            documents.append(
                Document(
                    kind=write.kind,
                    name=write.name,
                    revision=revision,
                    body=body,
                    expires=write.expires,
                )
            )
        self._publish(
            Change(kind=each.kind, name=each.name, revision=each.revision, document=each)
            for each in documents
        )
        return documents

    async def delete(self, kind: str, name: str, *, expected: int | None = None) -> bool:
        """False when it was not there; Conflict when its revision is not `expected`."""
        if self._shelf.get(kind, name, now=self._clock.now()) is None:
            return False
        self._check(kind, name, expected, None)
        self._publish([self._deletion(kind, name)])
        return True

    def watch(self, kind: str | None = None) -> Watch:
        """Changes from now on, in order; ends with Lagged when the reader is too slow."""
        return self._watchers.watch(kind)

    async def sweep(self) -> None:
        """Delete what has expired."""
        for document in self._shelf.pop_expired(now=self._clock.now()):
            self._publish([self._deletion(document.kind, document.name)])

    async def close(self) -> None:
        """End the watches."""
        await self._expiry.close()
        self._watchers.close()

    def _check(self, kind: str, name: str, expected: int | None, written: int | None) -> None:
        document = self._shelf.get(kind, name, now=self._clock.now())
        stored = written or (document.revision if document else 0)
        if expected is not None and expected != stored:
            raise conflict(kind, name, expected=expected, stored=stored)

    def _deletion(self, kind: str, name: str) -> Change:
        return Change(kind=kind, name=name, revision=self._revision + 1, document=None)

    def _publish(self, changes: Iterable[Change]) -> None:
        for change in changes:
            self._revision = change.revision
            self._shelf.apply(change)
            self._watchers.tell(change)
        self._expiry.changed()

    def _due(self) -> float | None:
        expires = self._shelf.next_expiry()
        return None if expires is None else expires - self._clock.now()
