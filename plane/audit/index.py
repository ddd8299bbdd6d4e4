"""Search over the audit log: an SQLite index beside the segments, and live lines from their end.

The segments are the log; the index is caught up before each search and can be deleted any time.
"""

import asyncio
import contextlib
import json
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path
from typing import TypeVar

from plane.audit.events import EventType, Stage
from plane.audit.query import TEXTS, Query, facts, matches
from plane.audit.segment import segments
from plane.audit.tail import Place, end, parsed, read_on
from plane.clock import rfc3339
from plane.errors import StoreUnavailable

__all__ = ["AuditIndex", "Query"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_VERSION = 1
_POLL_SECONDS = 0.2
_SCHEMA = """
CREATE TABLE newest (
    audit_id TEXT NOT NULL,
    user TEXT NOT NULL, cluster TEXT NOT NULL, verb TEXT NOT NULL, type TEXT NOT NULL,
    namespace TEXT NOT NULL, resource TEXT NOT NULL, code INTEGER, time TEXT NOT NULL,
    seq INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (audit_id, type)
);
CREATE INDEX newest_seq ON newest (seq);
CREATE INDEX newest_user ON newest (user, seq);
CREATE INDEX newest_cluster ON newest (cluster, seq);
CREATE TABLE place (segment TEXT NOT NULL, offset INTEGER NOT NULL);
INSERT INTO place VALUES ('', 0);
PRAGMA user_version = 1;
"""
# A session's start and end share an id: each has its row, so that both can be asked for by type.
_UPSERT = """
INSERT INTO newest (user, cluster, verb, type, namespace, resource, code, time, audit_id, seq, line)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (audit_id, type) DO UPDATE SET
    user = excluded.user, cluster = excluded.cluster, verb = excluded.verb,
    namespace = excluded.namespace, resource = excluded.resource, code = excluded.code,
    time = excluded.time, seq = excluded.seq, line = excluded.line
WHERE excluded.seq > newest.seq
"""
_IS_NEWEST = "seq = (SELECT max(seq) FROM newest AS other WHERE other.audit_id = m.audit_id)"
_LAST_START = "SELECT coalesce(max(seq), 0) FROM newest WHERE type = ?"


class AuditIndex:
    """Answers questions about a log's folder; `path` is the index's own file."""

    def __init__(self, folder: Path, path: Path) -> None:
        self.folder = folder
        self._path = path
        self._database: sqlite3.Connection | None = None
        # One thread, so that the loop never waits for SQLite; follow() has threads of its own.
        self._thread = ThreadPoolExecutor(1, "audit-index")

    def __repr__(self) -> str:
        return f"<AuditIndex {self._path}>"

    async def search(self, query: Query) -> list[dict[str, object]]:
        """The newest line of each audit id that matches, newest first, from the whole log.

        A line after which nothing came has a `state`: `unfinished`, or `interrupted` when the
        server has started again since.
        """
        return await self._run(lambda: self._search(query))

    async def follow(self, query: Query) -> AsyncGenerator[dict[str, object], None]:
        """New lines that match, as they are written; `limit` does not end it."""
        place = await asyncio.to_thread(end, self.folder)
        while True:
            lines, after = await asyncio.to_thread(read_on, self.folder, place)
            for line in lines:
                found = parsed(line)
                if found is not None and matches(query, facts(found)):
                    yield dict(found)
            if after == place:
                await asyncio.sleep(_POLL_SECONDS)
            place = after

    async def close(self) -> None:
        """Close the index's file."""
        await self._run(self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _search(self, query: Query) -> list[dict[str, object]]:
        try:
            database = self._caught_up()
        except (OSError, sqlite3.DatabaseError) as error:
            _log.warning("audit index %s: %s; it is made anew", self._path, error)
            database = self._anew()
        where, values = _where(query)
        sql = f"SELECT line, {_IS_NEWEST} FROM newest AS m WHERE {where} ORDER BY seq DESC LIMIT ?"  # noqa: S608
        (started,) = database.execute(_LAST_START, (EventType.SERVER_START,)).fetchone()
        rows = database.execute(sql, [*values, query.limit])
        return [_told(json.loads(line), newest=newest, started=started) for line, newest in rows]

    def _caught_up(self) -> sqlite3.Connection:
        database = self._database
        if database is None:
            database = self._database = _opened(self._path)
        place = self._known(database)
        while True:
            lines, after = read_on(self.folder, place)
            if after == place:
                return database
            with database:
                database.executemany(_UPSERT, _rows(lines))
                database.execute("UPDATE place SET segment = ?, offset = ?", astuple(after))
            place = after

    def _known(self, database: sqlite3.Connection) -> Place:
        segment, offset = database.execute("SELECT segment, offset FROM place").fetchone()
        place = Place(segment=segment, offset=offset)
        if not place.segment:
            return place
        paths = {path.name: path for path in segments(self.folder)} if self.folder.is_dir() else {}
        path = paths.get(place.segment)
        # Moved away to be kept elsewhere is fine; shorter, or the newest gone, is another log.
        shorter = path is not None and path.stat().st_size < place.offset
        if shorter or (path is None and not any(name > place.segment for name in paths)):
            raise sqlite3.DatabaseError("the log is not the one that was indexed")
        return place

    def _anew(self) -> sqlite3.Connection:
        try:
            self._forget()
            return self._caught_up()
        except (OSError, sqlite3.DatabaseError) as error:
            message = "the audit log cannot be searched now; its segments can still be read"
            raise StoreUnavailable(message, detail=f"{self._path}: {error}") from error

    def _forget(self) -> None:
        self._close()
        for suffix in ("", "-wal", "-shm", "-journal"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.DatabaseError):
                self._database.close()
            self._database = None


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    database = sqlite3.connect(path, isolation_level="DEFERRED")
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(_SCHEMA)
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"version {version}")  # noqa: TRY301
        # The log is the truth: an index lost to a power cut is made anew.
        database.execute("PRAGMA synchronous = OFF")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _rows(lines: Iterable[bytes]) -> Iterable[tuple[object, ...]]:
    for raw in lines:
        line = parsed(raw)
        if line is None or not _is_event(line):
            _log.warning("audit index: a damaged line of %d bytes is passed over", len(raw))
            continue
        yield (*astuple(facts(line)), line["auditID"], line["seq"], raw.decode().rstrip("\n"))


def _is_event(line: Mapping[str, object]) -> bool:
    seq = line.get("seq")
    return isinstance(line.get("auditID"), str) and isinstance(seq, int) and 0 < seq < 2**63


def _told(line: dict[str, object], *, newest: bool, started: int) -> dict[str, object]:
    seq = line["seq"]
    if newest and isinstance(seq, int) and line.get("stage") != Stage.RESPONSE_COMPLETE:
        line["state"] = "interrupted" if seq < started else "unfinished"
    return line


def _where(query: Query) -> tuple[str, list[object]]:
    terms: list[tuple[str, object]] = [
        (f"{key} = ?", getattr(query, key)) for key in TEXTS if getattr(query, key)
    ]
    if query.code is not None:
        terms.append(("code = ?", query.code))
    if query.since is not None:
        terms.append(("time >= ?", rfc3339(query.since)))
    if query.until is not None:
        terms.append(("time < ?", rfc3339(query.until)))
    texts = [text for text, _ in terms]
    if not query.type:
        texts.append(_IS_NEWEST)
    return " AND ".join(texts), [value for _, value in terms]
