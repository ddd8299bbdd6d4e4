import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path

import pytest

from plane.errors import StoreUnavailable
from plane.store.sqlite import SqliteStore

_spec = spec_from_file_location("store_conformance", Path(__file__).with_name("conformance.py"))
conformance = module_from_spec(_spec)
_spec.loader.exec_module(conformance)
write = conformance.write


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
async def test_conformance(check, tmp_path):
    number = count()
    await conformance.run(
        check, lambda clock: SqliteStore.open(tmp_path / f"{next(number)}.db", clock=clock)
    )


def in_writer(store, sql):
    return store._writer.submit(lambda: store._database.execute(sql).fetchone()).result()


async def test_documents_and_revisions_survive_a_restart(tmp_path):
    store = SqliteStore.open(tmp_path / "plane.db")
    await store.put(write("a", body={"n": 1}, expires=9e9))
    gone = await store.put(write("b"))
    await store.delete("role", "b")
    before = await store.all("role")
    await store.close()
    store = SqliteStore.open(tmp_path / "plane.db")
    assert await store.all("role") == before
    assert (await store.put(write("b"))).revision > gone.revision + 1
    await store.close()


async def test_what_was_answered_survives_kill_9(tmp_path):
    program = f"""
import asyncio, os, signal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from plane.store.base import Write
from plane.store.sqlite import SqliteStore
async def main():
    store = SqliteStore.open(Path({str(tmp_path / "plane.db")!r}))
    for n in range(50):
        await store.put(Write(kind="role", name=f"r{{n:02}}", body={{"n": n}}))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL
    store = SqliteStore.open(tmp_path / "plane.db")
    assert len(await store.all("role")) == 50
    await store.close()


async def test_the_files_are_for_the_owner_only(tmp_path):
    umask = os.umask(0)
    try:
        store = SqliteStore.open(tmp_path / "data" / "plane.db")
        await store.put(write())
        for path in (tmp_path / "data").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        await store.close()
    finally:
        os.umask(umask)


async def test_a_database_left_readable_is_closed_to_others(tmp_path):
    path = tmp_path / "plane.db"
    path.touch(mode=0o644)
    store = SqliteStore.open(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await store.close()


async def test_a_second_server_on_the_same_data_is_refused(tmp_path):
    store = SqliteStore.open(tmp_path / "plane.db")
    with pytest.raises(StoreUnavailable, match="in use by another"):
        SqliteStore.open(tmp_path / "plane.db")
    await store.close()
    await SqliteStore.open(tmp_path / "plane.db").close()


async def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "plane.db"
    path.write_bytes(b"my holiday photos" * 100)
    with pytest.raises(StoreUnavailable, match="cannot open"):
        SqliteStore.open(path)
    assert path.read_bytes() == b"my holiday photos" * 100
    with pytest.raises(StoreUnavailable, match="cannot open"):
        SqliteStore.open(path)


async def test_a_write_that_the_disk_refuses_changes_nothing(tmp_path):
    store = SqliteStore.open(tmp_path / "plane.db")
    first = await store.put(write())
    in_writer(store, "pragma query_only = on")
    with pytest.raises(StoreUnavailable, match="nothing was changed"):
        await store.put(write(body={"n": 2}))
    with pytest.raises(StoreUnavailable):
        await store.delete("role", "a")
    assert await store.get("role", "a") == first
    in_writer(store, "pragma query_only = off")
    assert (await store.put(write(body={"n": 2}))).body == {"n": 2}
    await store.close()


async def test_a_cancelled_caller_leaves_memory_equal_to_the_disk(tmp_path):
    store = SqliteStore.open(tmp_path / "plane.db")
    blocker = sqlite3.connect(tmp_path / "plane.db", isolation_level=None)
    blocker.execute("begin immediate")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await store.put(write("late"))
    blocker.execute("commit")
    await store.put(write("after"))
    rows = blocker.execute("select name from documents order by name").fetchall()
    assert [row[0] for row in rows] == [each.name for each in await store.all("role")]
    blocker.close()
    await store.close()


async def test_durability_settings(tmp_path):
    store = SqliteStore.open(tmp_path / "plane.db")
    assert in_writer(store, "pragma journal_mode") == ("wal",)
    assert in_writer(store, "pragma synchronous") == (2,)
    assert "plane.db 0 documents" in repr(store)
    await store.close()
