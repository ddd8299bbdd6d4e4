"""The tables of the SQLite store; a new migration goes at the end and is never edited again."""

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("plane.store")


@migrations()
def documents(db: Database) -> None:
    """One row per document; `counter` holds the last revision, so that none is ever used twice."""
    table = db.table("documents")
    table.create(
        {"kind": str, "name": str, "revision": int, "body": str, "expires": float},
        pk=("kind", "name"),
        not_null={"kind", "name", "revision", "body"},
        strict=True,
    )
    table.create_index(["expires"])
    counter = db.table("counter")
    counter.create({"id": int, "revision": int}, pk="id", not_null={"revision"}, strict=True)
    counter.insert({"id": 1, "revision": 0})
