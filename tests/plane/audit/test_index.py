import asyncio
import contextlib
import os
import stat
from dataclasses import replace

import pytest

from plane.audit.events import Actor, Event, EventType, ObjectRef, Outcome, Stage
from plane.audit.index import AuditIndex, Query
from plane.audit.log import AuditLog
from plane.audit.segment import segments
from plane.errors import StoreUnavailable
from plane.tasks import cancel, spawn

EVENT = Event(
    type=EventType.KUBE_REQUEST,
    audit_id="a1",
    time=1764000000.0,
    received=1764000000.0,
    actor=Actor(username="joe"),
    cluster="west",
    verb="get",
    object_ref=ObjectRef(resource="pods", namespace="shop"),
    outcome=Outcome(code=200),
)


@pytest.fixture
async def log(tmp_path):
    log = AuditLog(tmp_path / "audit", segment_bytes=2000)
    yield log
    await log.close()


@pytest.fixture
async def index(tmp_path, log):
    index = AuditIndex(tmp_path / "audit", tmp_path / "index.db")
    yield index
    await index.close()


def write(log, audit_id, **changes):
    log.append(replace(EVENT, audit_id=audit_id, **changes))


async def ids(index, **query):
    return [line["auditID"] for line in await index.search(Query(**query))]


async def test_an_empty_log_answers_nothing(index):
    assert await index.search(Query()) == []


async def test_every_line_written_before_the_search_is_found_newest_first(log, index):
    for number in range(30):
        write(log, f"a{number}")
    assert len(segments(log.folder)) > 2
    assert await ids(index, limit=1000) == [f"a{number}" for number in reversed(range(30))]
    write(log, "b")
    assert await ids(index, limit=1) == ["b"]


async def test_one_row_per_audit_id_with_its_newest_stage(log, index):
    write(log, "a", stage=Stage.REQUEST_RECEIVED, outcome=None)
    assert (await index.search(Query()))[0]["stage"] == "RequestReceived"
    write(log, "a")
    (line,) = await index.search(Query())
    assert (line["stage"], line["seq"]) == ("ResponseComplete", 2)
    assert await ids(index, code=200) == ["a"]


async def test_a_session_is_one_row_but_its_start_can_be_asked_for(log, index):
    write(log, "s", type=EventType.SESSION_START, stage=Stage.RESPONSE_STARTED)
    write(log, "s", type=EventType.SESSION_END)
    assert [line["type"] for line in await index.search(Query())] == ["session.end"]
    assert await ids(index, type="session.start") == ["s"]


@pytest.mark.parametrize(
    ("changes", "query"),
    [
        ({"actor": Actor(username="eve")}, {"user": "eve"}),
        ({"cluster": "east"}, {"cluster": "east"}),
        ({"verb": "delete"}, {"verb": "delete"}),
        ({"type": EventType.USER_LOGIN}, {"type": "user.login"}),
        ({"object_ref": ObjectRef(namespace="kube-system")}, {"namespace": "kube-system"}),
        ({"object_ref": ObjectRef(resource="secrets")}, {"resource": "secrets"}),
        ({"outcome": Outcome(code=403)}, {"code": 403}),
        ({"time": 1764000060.0}, {"since": 1764000060.0}),
        ({"time": 1763999999.0}, {"until": 1764000000.0}),
    ],
)
async def test_each_question_finds_its_line_only(log, index, changes, query):
    write(log, "other")
    write(log, "wanted", **changes)
    assert await ids(index, **query) == ["wanted"]


async def test_a_question_is_data_never_sql(log, index):
    write(log, "a")
    assert await ids(index, user="' OR 1=1 --") == []


async def test_the_index_is_private_and_made_anew_when_it_is_deleted_or_damaged(
    tmp_path, log, index
):
    write(log, "a")
    assert await ids(index) == ["a"]
    await index.close()
    path = tmp_path / "index.db"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for damage in (path.unlink, lambda: path.write_bytes(b"no database" * 1000)):
        damage()
        again = AuditIndex(log.folder, path)
        assert await ids(again) == ["a"]
        await again.close()
    index.__init__(log.folder, path)


async def test_an_index_that_cannot_be_made_is_one_clear_error(tmp_path, log):
    (tmp_path / "file").write_text("")
    index = AuditIndex(log.folder, tmp_path / "file" / "index.db")
    with pytest.raises(StoreUnavailable) as error:
        await index.search(Query())
    assert str(tmp_path) not in error.value.message
    await index.close()


async def test_another_log_in_the_same_place_is_indexed_anew(log, index):
    write(log, "a")
    assert await ids(index) == ["a"]
    (path,) = segments(log.folder)
    line = path.read_bytes().replace(b'"a"', b'"b"')
    path.rename(path.with_suffix(".old"))
    (log.folder / "0000000000000001-20200101T000000Z.jsonl").write_bytes(line)
    assert await ids(index) == ["b"]


async def test_a_damaged_line_and_a_torn_one_are_passed_over(log, index):
    write(log, "a")
    with segments(log.folder)[0].open("ab") as file:
        file.write(b'{"seq":\xff}\n[1]\n{"seq":2}\n{"seq":3,"auditID":"torn')
    assert await ids(index) == ["a"]


async def next_ones(lines, count):
    async with asyncio.timeout(5):
        return [(await anext(lines))["auditID"] for _ in range(count)]


async def test_follow_yields_new_matching_lines_over_a_rotation(log, index):
    write(log, "old")
    async with contextlib.aclosing(index.follow(Query(user="joe"))) as lines:
        first = spawn(next_ones(lines, 1), name="first")
        while not first.done():
            write(log, "new")
            write(log, "eve", actor=Actor(username="eve"))
            await asyncio.sleep(0.05)
        assert first.result() == ["new"]
        for number in range(30):
            write(log, f"b{number}")
        found = []
        while not found or found[-1] != "b29":
            found += await next_ones(lines, 1)
        assert [each for each in found if each != "new"] == [f"b{number}" for number in range(30)]


async def test_a_follower_who_goes_away_leaves_nothing_behind(index):
    lines = index.follow(Query())
    waiting = spawn(next_ones(lines, 1), name="waiting")
    await asyncio.sleep(0)
    await cancel(waiting)
    assert waiting.cancelled()
    await lines.aclose()


async def test_kill_minus_9_leaves_requests_that_are_listed_as_interrupted(log, index):
    write(log, "cut", stage=Stage.REQUEST_RECEIVED, outcome=None)
    write(log, "whole", stage=Stage.REQUEST_RECEIVED, outcome=None)
    write(log, "whole")

    async def states():
        found = await index.search(Query(type="kube.request"))
        return {line["auditID"]: line.get("state") for line in found}

    assert await states() == {"whole": None, "cut": "unfinished"}
    write(log, "start", type=EventType.SERVER_START)
    write(log, "live", stage=Stage.RESPONSE_STARTED)
    assert await states() == {"live": "unfinished", "whole": None, "cut": "interrupted"}


async def test_a_session_that_ended_is_not_unfinished_when_its_start_is_asked_for(log, index):
    write(log, "s", type=EventType.SESSION_START, stage=Stage.RESPONSE_STARTED)
    write(log, "s", type=EventType.SESSION_END)
    (line,) = await index.search(Query(type="session.start"))
    assert "state" not in line
