"""No answer without its line, no change without a line on disk before it."""

import asyncio
import os
import threading

import pytest
from loopback.client import request
from loopback.cluster import answer

PODS = "/api/v1/namespaces/default/pods"


async def test_one_line_says_who_what_where_and_why(gate):
    session, token = await gate.login()
    found = await gate.ask(PODS + "/a", b"User-Agent: kubectl/v1.33", token=token)

    [line] = gate.lines()
    assert line["type"] == "kube.request"
    assert line["stage"] == "ResponseComplete"
    assert line["auditID"] == found.first(b"audit-id").decode()
    assert gate.cluster.asked[0].all(b"audit-id") == [found.first(b"audit-id")]
    assert line["user"]["username"] == "joe"
    assert line["user"]["session"] == session.id
    assert line["sourceIPs"] == ["127.0.0.1"]
    assert line["userAgent"] == "kubectl/v1.33"
    assert (line["cluster"], line["clusterLabels"]) == ("west", {"env": "dev"})
    assert (line["verb"], line["path"]) == ("get", PODS + "/a")
    assert line["objectRef"]["name"] == "a"
    assert line["impersonatedUser"] == {
        "username": "joe",
        "groups": ["view", "system:authenticated"],
    }
    assert line["decision"]["allowed"] is True
    assert line["decision"]["role"] == "access"
    assert line["responseStatus"] == {"code": 200}
    assert line["details"]["durationSeconds"] >= 0
    assert token not in str(line)


async def test_an_answer_that_cannot_be_audited_does_not_leave(gate):
    _, token = await gate.login()
    with gate.full_disk():
        found = await gate.ask(PODS, token=token)

    assert found.code == 503
    assert "audit log cannot be written" in found.status["message"]
    assert b"GET" not in found.body
    assert (await gate.ask(PODS, token=token)).code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_that_cannot_be_audited_is_not_forwarded(gate, method):
    _, token = await gate.login()
    with gate.full_disk():
        found = await gate.ask(PODS + "/a", method=method, token=token, body=b"{}")

    assert found.code == 503
    assert found.status["reason"] == "ServiceUnavailable"
    assert not gate.cluster.got


async def test_a_watch_that_cannot_be_audited_shows_no_event(gate):
    async def watch(asked):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n"
        asked.writer.write(head)
        await asked.reader.read()

    gate.cluster.script = watch
    _, token = await gate.login()
    with gate.full_disk():
        found = await gate.ask(PODS + "?watch=true", token=token)

    assert found.code == 503
    assert b"secret" not in found.body


async def test_a_refusal_is_given_even_when_it_cannot_be_audited(gate):
    with gate.full_disk():
        found = await gate.ask(PODS)
    assert found.code == 401
    assert not gate.cluster.got


async def test_a_change_is_on_disk_before_the_cluster_sees_a_byte(gate, monkeypatch):
    """The sync is held up: as long as it has not returned, nothing may be forwarded."""
    _, token = await gate.login()
    real, reached, release = os.fdatasync, threading.Event(), threading.Event()

    def slow(fd):
        reached.set()
        assert release.wait(10)
        real(fd)

    monkeypatch.setattr(os, "fdatasync", slow)
    try:
        async with gate.connect() as client:
            client.writer.write(request(PODS, method="POST", token=token, body=b"{}"))
            await asyncio.to_thread(reached.wait, 10)
            for _ in range(50):
                await asyncio.sleep(0.001)
            assert gate.cluster.connections == 0
            [line] = gate.lines()
            assert line["stage"] == "RequestReceived"
            assert line["verb"] == "create"
            release.set()
            assert (await client.answered()).code == 200
    finally:
        release.set()

    stages = [line["stage"] for line in gate.lines()]
    assert stages == ["RequestReceived", "ResponseComplete"]
    assert len({line["auditID"] for line in gate.lines()}) == 1


async def test_a_disk_that_does_not_sync_forwards_no_change(gate, monkeypatch):
    _, token = await gate.login()

    def broken(_fd):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    found = await gate.ask(PODS, method="POST", token=token, body=b"{}")
    monkeypatch.undo()

    assert found.code == 503
    assert not gate.cluster.got


async def test_a_client_that_leaves_is_audited_499(gate):
    left = asyncio.Event()

    async def silent(asked):
        await asked.reader.read()
        left.set()

    gate.cluster.script = silent
    _, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(request(PODS, token=token))
        async with asyncio.timeout(10):
            while not gate.cluster.asked:
                await asyncio.sleep(0.005)
    line = await gate.ended(stage="ResponseComplete")

    assert line["responseStatus"]["code"] == 499
    async with asyncio.timeout(10):
        await left.wait()  # the cluster is not left with a request that nobody waits for


async def test_a_client_that_leaves_its_watch_is_audited_499_and_the_cluster_is_told(gate):
    """An abandoned watch would fill plane's memory with events that nobody reads."""
    left = asyncio.Event()

    async def watch(asked):
        asked.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        await asked.reader.read()
        left.set()

    gate.cluster.script = watch
    _, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(request(PODS + "?watch=true", token=token))
        await client.head()
        assert [line["stage"] for line in gate.lines()] == ["ResponseStarted"]
    line = await gate.ended(stage="ResponseComplete")

    assert line["responseStatus"]["code"] == 499
    assert len(gate.live) == 0
    async with asyncio.timeout(10):
        await left.wait()


async def test_a_client_that_breaks_off_its_body_leaves_no_whole_request(gate):
    _, token = await gate.login()
    data = request(PODS, b"Content-Length: 10", method="POST", token=token) + b"half"
    async with gate.connect() as client:
        client.writer.write(data)
        await gate.ended(stage="RequestReceived")
    line = await gate.ended(stage="ResponseComplete")

    assert line["responseStatus"]["code"] in (400, 499)
    assert not gate.cluster.asked


async def test_a_refusal_by_the_cluster_is_audited_with_its_code(gate):
    async def refuse(asked):
        asked.writer.write(answer(409, b'{"kind":"Status"}', b"Retry-After: 7"))

    gate.cluster.script = refuse
    _, token = await gate.login()
    found = await gate.ask(PODS, method="POST", token=token, body=b"{}")

    assert (found.code, found.body) == (409, b'{"kind":"Status"}')
    assert found.first(b"retry-after") == b"7"
    assert gate.lines(stage="ResponseComplete")[0]["responseStatus"]["code"] == 409


async def test_a_long_user_agent_does_not_fill_the_log(gate):
    _, token = await gate.login()
    await gate.ask(PODS, b"User-Agent: " + b"a" * 30_000, token=token)
    assert len(gate.lines()[0]["userAgent"]) == 256
