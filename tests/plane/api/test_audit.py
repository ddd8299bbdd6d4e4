import asyncio
import contextlib
import json

import pytest

from plane.audit.events import Actor, Event, EventType, Outcome
from plane.audit.log import AuditLog
from plane.errors import Forbidden
from plane.tasks import spawn


@pytest.fixture
async def log(tmp_path):
    log = AuditLog(tmp_path / "audit")
    yield log
    await log.close()


def write(log, audit_id, user="joe", time=1764000000.0):
    log.append(
        Event(
            type=EventType.KUBE_REQUEST,
            audit_id=audit_id,
            time=time,
            received=time,
            actor=Actor(username=user),
            outcome=Outcome(code=200),
        )
    )


async def ids(stage, query="", role="auditor"):
    answer = await stage.call("GET", f"/v1/audit{query}", role=role)
    assert answer.status_code == 200, await answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    return [line["auditID"] for line in (await answer.get_json())["items"]]


async def test_an_auditor_searches_the_log_and_that_is_in_the_log(stage, log):
    write(log, "a")
    write(log, "b", user="eve", time=1764000100.0)
    assert await ids(stage) == ["b", "a"]
    assert await ids(stage, "?user=eve&since=2025-11-24T16:00:01Z&code=200&limit=5") == ["b"]
    event = stage.events[-1]
    assert (event.type, event.actor.username) == (EventType.AUDIT_READ, "joe")
    assert event.details["query"]["user"] == "eve"
    assert event.decision.role == "auditor"


@pytest.mark.parametrize("path", ["/v1/audit", "/v1/audit/follow"])
async def test_without_the_right_nothing_of_the_log_is_shown(stage, log, path):
    write(log, "a")
    for role, code in (("dev", 403), ("reader", 403), ("", 401)):
        answer = await stage.call("GET", path, role=role)
        assert answer.status_code == code
    assert {event.type for event in stage.events} == {EventType.API_REQUEST}


@pytest.mark.parametrize(
    "query", ["?since=yesterday", "?since=2025-11-24", "?limit=-1", "?code=x", "?usr=eve"]
)
async def test_a_filter_that_cannot_be_understood_is_refused_and_never_passed_over(stage, query):
    answer = await stage.call("GET", f"/v1/audit{query}", role="auditor")
    assert answer.status_code == 400


async def test_nothing_is_read_when_the_reading_cannot_be_written(stage, log):
    stage.full = True
    answer = await stage.call("GET", "/v1/audit", role="auditor")
    assert answer.status_code == 503


async def test_follow_streams_lines_as_they_are_written_until_the_right_is_gone(stage, log):
    headers = {"Authorization": "Bearer auditor"}
    client = stage.app.test_client()
    async with asyncio.timeout(10), client.request("/v1/audit/follow", headers=headers) as live:
        await live.send_complete()
        assert await live.receive() == b"\n"
        line = spawn(live.receive(), name="line")
        while not line.done():
            write(log, "new")
            await asyncio.sleep(0.05)
        assert json.loads((await line).splitlines()[0])["auditID"] == "new"
        await stage.service.delete("role", "auditor", expected=None)
        with contextlib.suppress(Forbidden):
            while stage.policies.roles(["auditor"]):
                await asyncio.sleep(0.01)
        write(log, "secret")
        rest = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while True:
                    rest += await live.receive()
        assert b"secret" not in rest
        await live.disconnect()
