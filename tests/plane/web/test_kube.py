"""The proxy as a Quart route: the same pipeline, under any ASGI server."""

import asyncio
import json

import httpx
import pytest
from loopback.cluster import answer
from loopback.gate import Gate
from quart import Quart

from plane.web import kube

PODS = "/api/v1/namespaces/default/pods"
ROOT = "/k8s/clusters/west"


@pytest.fixture
async def gate(tmp_path):
    async with Gate(tmp_path).open() as gate:
        app = Quart("plane.web")
        app.register_blueprint(kube.blueprint(gate.pipeline))
        gate.app = app
        gate.http = app.test_client()
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://plane") as client:
            gate.whole = client
            yield gate


@pytest.fixture
async def bearer(gate):
    gate.session, token = await gate.login()
    return {"Authorization": f"Bearer {token}"}


async def test_a_get_is_forwarded_as_the_person(gate, bearer):
    found = await gate.http.get(f"{ROOT}{PODS}?limit=5&labelSelector=a%3Db", headers=bearer)

    [asked] = gate.cluster.asked
    assert found.status_code == 200
    assert await found.get_data() == asked.line
    assert asked.line == f"GET {PODS}?limit=5&labelSelector=a%3Db HTTP/1.1".encode()
    assert asked.impersonated[0] == (b"Impersonate-User", b"joe")
    assert asked.all(b"authorization") == [b"Bearer plane-own-token"]
    assert found.headers["Audit-Id"] == gate.lines()[0]["auditID"]


async def test_a_post_is_forwarded_with_its_body(gate, bearer):
    body = b"x" * 300_000
    found = await gate.whole.post(ROOT + PODS, headers=bearer, content=body)

    assert found.status_code == 200
    assert gate.cluster.asked[0].body == body
    assert [line["stage"] for line in gate.lines()] == ["RequestReceived", "ResponseComplete"]


async def test_a_body_without_a_declared_length_is_not_lost(gate, bearer):
    """HTTP/2 has neither Content-Length, if it pleases, nor chunks."""
    options = {"headers": bearer, "data": b"hello", "http_version": "2"}
    await gate.http.post(ROOT + PODS, **options)
    assert gate.cluster.asked[0].body == b"hello"


async def test_a_delete_without_a_body(gate, bearer):
    await gate.http.delete(f"{ROOT}{PODS}/a", headers=bearer)
    assert gate.cluster.asked[0].all(b"content-length") == [b"0"]


async def test_a_large_answer_comes_whole(gate, bearer):
    body = bytes(range(256)) * 8000

    async def large(asked):
        asked.writer.write(answer(200, body))

    gate.cluster.script = large
    found = await gate.http.get(ROOT + PODS, headers=bearer)
    assert await found.get_data() == body


async def test_a_watch_is_streamed_and_its_client_may_leave(gate, bearer):
    left = asyncio.Event()

    async def watch(asked):
        asked.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        asked.writer.write(b"2\r\n{}\r\n")
        await asked.reader.read()
        left.set()

    gate.cluster.script = watch
    async with asyncio.timeout(10):
        async with gate.http.request(f"{ROOT}{PODS}?watch=true", headers=bearer) as connection:
            await connection.send_complete()
            assert await connection.receive() == b"{}"
            await connection.disconnect()
        await left.wait()
    line = await gate.ended(stage="ResponseComplete")
    assert line["responseStatus"]["code"] == 499


async def test_a_client_that_leaves_before_the_answer_leaves_nothing_behind(gate, bearer):
    left, arrived = asyncio.Event(), asyncio.Event()

    async def silent(asked):
        arrived.set()
        await asked.reader.read()
        left.set()

    gate.cluster.script = silent
    async with asyncio.timeout(10):
        async with gate.http.request(ROOT + PODS, headers=bearer) as connection:
            await connection.send_complete()
            await arrived.wait()
            await connection.disconnect()
        await left.wait()
    line = await gate.ended(stage="ResponseComplete")
    assert line["responseStatus"]["code"] == 499


async def test_a_revoked_watch_ends_with_an_error_event(gate, bearer):
    async def watch(asked):
        asked.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        await asked.reader.read()

    gate.cluster.script = watch
    async with asyncio.timeout(10):
        async with gate.http.request(f"{ROOT}{PODS}?watch=true", headers=bearer) as connection:
            await connection.send_complete()
            assert await connection.receive() == b"{}"
            await gate.sessions.end(gate.session.id)
            event = json.loads(await connection.receive())
    assert event["type"] == "ERROR"
    assert event["object"]["code"] == 403


@pytest.mark.parametrize("protocol", ["websocket", "SPDY/3.1", "h2c"])
async def test_an_upgrade_is_refused(gate, bearer, protocol):
    headers = {**bearer, "Upgrade": protocol, "Connection": "Upgrade"}
    found = await gate.http.post(f"{ROOT}{PODS}/p/exec?command=id", headers=headers)

    assert found.status_code == 400
    assert (await found.get_json())["code"] == 400
    assert not gate.cluster.got


async def test_exec_without_an_upgrade_is_refused(gate, bearer):
    found = await gate.http.post(f"{ROOT}{PODS}/p/exec?command=id", headers=bearer)
    assert found.status_code == 400
    assert not gate.cluster.got


@pytest.mark.parametrize(
    "path",
    ["/api/v1/namespaces/a/%2e%2e/secrets", "/api/v1//secrets", "/api/v1/pods%2fa", "/api/v1/a%00"],
)
async def test_a_path_that_the_framework_decodes_is_judged_as_received(gate, bearer, path):
    found = await gate.whole.get(ROOT + path, headers=bearer)
    assert found.status_code >= 400
    assert not gate.cluster.got


async def test_headers_of_the_edge_are_no_credential_here(gate):
    session, _ = await gate.login()
    found = await gate.http.get(ROOT + PODS, headers={"Plane-Session": session.id})
    assert found.status_code == 401
    assert (await found.get_json())["code"] == 401
    assert not gate.cluster.got


async def test_impersonation_by_the_client_is_refused(gate, bearer):
    headers = {**bearer, "impersonate-user": "root"}
    found = await gate.http.get(ROOT + PODS, headers=headers)
    assert found.status_code == 403
    assert not gate.cluster.got


async def test_an_answer_that_cannot_be_audited_does_not_leave(gate, bearer):
    with gate.full_disk():
        found = await gate.http.get(ROOT + PODS, headers=bearer)
    assert found.status_code == 503
