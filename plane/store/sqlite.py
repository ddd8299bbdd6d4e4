"""The embedded store: SQLite in WAL mode, one writer thread, reads from memory.

What `put` returned is on disk (synchronous=FULL). One process at a time owns the file: a lock file
beside it keeps a second server out, which would not see this one's memory.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database

from plane.clock import SYSTEM, Clock
from plane.errors import StoreUnavailable
from plane.store.base import Change, Document, Write
from plane.store.expiry import Expiry
from plane.store.memory import conflict
from plane.store.schema import migrations
from plane.store.shelf import Shelf
from plane.store.watch import Watch, Watchers

_T = TypeVar("_T")


class SqliteStore:
    """plane.store.base.Store in one SQLite file; make it with `open`."""

    def __init__(self, path: Path, *, clock: Clock, lock: int) -> None:
        self._path = path
        self._clock = clock
        self._lock = lock
        self._shelf = Shelf()
        self._watchers = Watchers()
        self._expiry = Expiry(self._due, self.sweep)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="plane-store")
        self._database = self._writer.submit(_connect, path).result()
        for document in self._writer.submit(self._load).result():
            self._shelf.apply(_creation(document))

    @classmethod
    def open(cls, path: Path, *, clock: Clock = SYSTEM) -> "SqliteStore":
        """Open or make the database; StoreUnavailable when another process has it."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _take(path)
        try:
            return cls(path, clock=clock, lock=lock)
        except sqlite3.Error as error:
            os.close(lock)
            raise StoreUnavailable(f"cannot open the database {path}: {error}") from error

    def __repr__(self) -> str:
        return f"<SqliteStore {self._path} {len(self._shelf)} documents>"

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
        bodies = [json.dumps(each.body, allow_nan=False) for each in writes]

        loop = asyncio.get_running_loop()

        def job() -> list[Document]:
            with self._transaction():
                documents = [
                    self._write(each, body) for each, body in zip(writes, bodies, strict=True)
                ]
            self._publish(loop, [_creation(each) for each in documents])
            return documents

        return await self._run(job)

    async def delete(self, kind: str, name: str, *, expected: int | None = None) -> bool:
        """False when it was not there; Conflict when its revision is not `expected`."""
        loop = asyncio.get_running_loop()

        def job() -> bool:
            with self._transaction():
                change = self._remove(kind, name, expected)
            if change is not None:
                self._publish(loop, [change])
            return change is not None

        return await self._run(job)

    def watch(self, kind: str | None = None) -> Watch:
        """Changes from now on, in order; ends with Lagged when the reader is too slow."""
        self._expiry.changed()
        return self._watchers.watch(kind)

    async def sweep(self) -> None:
        """Delete what has expired."""
        expired = self._shelf.pop_expired(now=self._clock.now())
        if not expired:
            return

        loop = asyncio.get_running_loop()

        def job() -> None:
            with self._transaction():
                changes = [self._expire(document) for document in expired]
            self._publish(loop, [change for change in changes if change is not None])

        await self._run(job)

    async def close(self) -> None:
        """Finish the writes that were begun, end the watches, release the files."""
        await self._expiry.close()
        self._watchers.close()
        await self._run(self._database.close)
        self._writer.shutdown()
        os.close(self._lock)

    # Below: in the writer thread, inside a transaction.

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        # IMMEDIATE: sqlite-utils' atomic() takes the write lock too late for the busy timeout
        # to apply, so that a person's open sqlite3 shell could make a write fail at once.
        self._database.execute("begin immediate")
        try:
            yield
            self._database.commit()
        finally:
            self._database.rollback()

    def _write(self, write: Write, body: str) -> Document:
        stored = self._stored_revision(write.kind, write.name)
        if write.expected is not None and write.expected != stored:
            raise conflict(write.kind, write.name, expected=write.expected, stored=stored)
        row = {
            "kind": write.kind,
            "name": write.name,
            "revision": self._next_revision(),
            "body": body,
            "expires": write.expires,
        }
        self._database.table("documents").insert(row, pk=("kind", "name"), replace=True)
        return _document(row)

    def _remove(self, kind: str, name: str, expected: int | None) -> Change | None:
        stored = self._stored_revision(kind, name)
        if stored == 0:
            return None
        if expected is not None and expected != stored:
            raise conflict(kind, name, expected=expected, stored=stored)
        self._database.table("documents").delete((kind, name))
        return Change(kind=kind, name=name, revision=self._next_revision(), document=None)

    def _expire(self, document: Document) -> Change | None:
        where = "kind = ? and name = ? and revision = ?"
        key = [document.kind, document.name, document.revision]
        if not self._database.table("documents").count_where(where, key):
            return None
        self._database.table("documents").delete_where(where, key)
        revision = self._next_revision()
        return Change(kind=document.kind, name=document.name, revision=revision, document=None)

    def _stored_revision(self, kind: str, name: str) -> int:
        rows = self._database.query(
            "select revision from documents where kind = :kind and name = :name"
            " and (expires is null or expires > :now)",
            {"kind": kind, "name": name, "now": self._clock.now()},
        )
        return next((int(row["revision"]) for row in rows), 0)

    def _next_revision(self) -> int:
        self._database.execute("update counter set revision = revision + 1 where id = 1")
        return int(self._database.execute("select revision from counter").fetchone()[0])

    def _load(self) -> list[Document]:
        return [_document(row) for row in self._database.table("documents").rows]

    # Between the writer thread and the event loop.

    def _publish(self, loop: asyncio.AbstractEventLoop, changes: list[Change]) -> None:
        # Queued before the awaiting caller's own wake-up: whoever awaited a put reads it back,
        # and a caller cancelled meanwhile leaves memory equal to the disk all the same.
        loop.call_soon_threadsafe(self._apply, changes)

    def _apply(self, changes: list[Change]) -> None:
        for change in changes:
            self._shelf.apply(change)
            self._watchers.tell(change)
        self._expiry.changed()

    async def _run(self, job: Callable[[], _T]) -> _T:
        try:
            return await asyncio.wrap_future(self._writer.submit(job))
        except sqlite3.Error as error:
            raise StoreUnavailable(
                "the database cannot be written; nothing was changed",
                detail=f"{self._path}: {error}",
            ) from error

    def _due(self) -> float | None:
        expires = self._shelf.next_expiry()
        return None if expires is None else expires - self._clock.now()


def _connect(path: Path) -> Database:
    # Made 0600 before SQLite opens it; the -wal and -shm files inherit the mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    database = Database(path, execute_plugins=False)
    database.enable_wal()
    database.execute("pragma synchronous = full")
    migrations.apply(database)
    return database


def _take(path: Path) -> int:
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StoreUnavailable(
            f"the database {path} is in use by another plane process; stop it or choose another "
            "data_dir"
        ) from error
    return lock


def _document(row: dict[str, object]) -> Document:
    return Document(
        kind=str(row["kind"]),
        name=str(row["name"]),
        revision=int(str(row["revision"])),
        body=json.loads(str(row["body"])),
        expires=None if row["expires"] is None else float(str(row["expires"])),
    )


def _creation(document: Document) -> Change:
    return Change(
        kind=document.kind, name=document.name, revision=document.revision, document=document
    )
