"""Whoever loses a right loses the streams that it opened, within two seconds and with the reason."""

import asyncio
import contextlib
import json

import pytest
from loopback.client import request
from loopback.corpus import load, play

from plane.proxy.live import LiveStreams

PODS = "/api/v1/namespaces/default/pods"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def end_session(gate, session):
    await gate.sessions.end(session.id)


async def change_role(gate, session):
    await gate.close_role()


async def drop_cluster(gate, session):
    gate.routes.drop("west")


async def change_traits(gate, session):
    await gate.sessions.refresh(
        session.user, connector="local", roles=session.roles, traits={"groups": ("other",)}
    )


WAYS = [end_session, change_role, drop_cluster, change_traits]


@contextlib.asynccontextmanager
async def within_two_seconds():
    async with asyncio.timeout(2):
        yield


def streaming(*chunks):
    async def script(asked):
        asked.writer.write(CHUNKED)
        for chunk in chunks:
            asked.writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await asked.reader.read()

    return script


@pytest.mark.parametrize("way", WAYS)
async def test_a_watch_ends_with_an_error_event(gate, way):
    gate.cluster.script = streaming(b'{"type":"ADDED"}\n')
    session, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(request(PODS + "?watch=true", token=token))
        assert (await client.head()).code == 200
        assert await client.chunk() == b'{"type":"ADDED"}\n'
        async with within_two_seconds():
            await way(gate, session)
            event = json.loads(await client.chunk())
            assert await client.chunk() == b""  # an orderly end, not a cut

    assert event["type"] == "ERROR"
    assert event["object"]["kind"] == "Status"
    assert event["object"]["code"] == 403
    assert event["object"]["message"].startswith("plane ended this session: ")
    line = await gate.ended(stage="ResponseComplete")
    assert line["responseStatus"]["code"] == 403
    assert len(gate.live) == 0
    assert not gate.limits._under_way


async def test_a_log_ends_with_a_last_line(gate):
    gate.cluster.script = streaming(b"hello\n")
    session, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(request(PODS + "/p/log?follow=true", token=token))
        await client.head()
        assert await client.chunk() == b"hello\n"
        async with within_two_seconds():
            await gate.sessions.end(session.id)
            last = await client.chunk()
            assert await client.chunk() == b""

    assert last.startswith(b"\nplane: plane ended this session: your session is unknown")


async def test_a_stream_whose_answer_has_not_begun_ends_too(gate):
    """A log without a line yet: its head may come much later."""
    asked_for = asyncio.Event()

    async def silent(asked):
        asked_for.set()
        await asked.reader.read()

    gate.cluster.script = silent
    session, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(request(PODS + "/p/log?follow=true", token=token))
        await asked_for.wait()
        async with within_two_seconds():
            await gate.sessions.end(session.id)
            found = await client.answered()

    assert found.code == 403
    assert "plane ended this session" in found.status["message"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["kubectl-1.27-terminal", "kubectl-1.33-terminal"])
async def test_an_exec_ends_with_a_status(gate, name, way):
    """A bare close would make kubectl exit 0 over SPDY."""
    talk = load(name)
    shown = max(i for i, (side, _) in enumerate(talk.chunks) if side == "c")
    talk.chunks = talk.chunks[:shown]
    over = asyncio.Event()

    async def script(asked):
        await talk.cluster(asked)
        await asked.reader.read()
        over.set()

    gate.cluster.script = script
    session, token = await gate.login(groups=("team",))
    async with gate.connect() as client:
        client.writer.write(talk.request(token))
        await client.head()
        got = await play(talk.chunks, "c", client.reader, client.writer)
        assert got == talk.said("s")
        async with within_two_seconds():
            await way(gate, session)
            last = await client.reader.readuntil(b'"code": 403}')
        await client.rest()

    assert b'"kind": "Status"' in last
    assert b"plane ended this session" in last
    end = await gate.ended(type="session.end")
    assert end["details"]["closedBy"] == "plane"
    assert end["details"]["reason"].startswith("plane ended this session: ")
    assert gate.sidecar()["closedBy"] == "plane"
    async with asyncio.timeout(10):
        await over.wait()
    typed = gate.cluster.got.partition(b"\r\n\r\n")[2][len(talk.said("c")) :]
    assert b"\x03\x04" in (_unmasked(typed) if talk.websocket else typed)  # ^C ^D for the shell


def _unmasked(data):
    """The payload of the last small masked frame."""
    payload, mask = bytes(data[-3:]), bytes(data[-7:-3])
    return bytes(byte ^ mask[i] for i, byte in enumerate(payload))


async def test_an_ordinary_request_under_way_is_answered(gate):
    release, arrived = asyncio.Event(), asyncio.Event()

    async def slow(asked):
        arrived.set()
        await release.wait()
        asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    gate.cluster.script = slow
    session, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(request(PODS, token=token))
        await arrived.wait()
        await gate.sessions.end(session.id)
        release.set()
        assert (await client.answered()).code == 200


async def test_an_expiry_is_noticed_without_an_event():
    streams = LiveStreams()
    reasons = iter([None, "your session has expired"])
    with streams.enter(lambda: next(reasons)) as stream:
        streams.review()
        assert not stream.ended.done()
        async with within_two_seconds():
            assert await stream.ended == "your session has expired"
        stream.end("again")
        assert stream.ended.result() == "your session has expired"
    assert len(streams) == 0


async def test_a_stream_that_cannot_be_rechecked_ends(caplog):
    streams = LiveStreams()

    def broken():
        raise RuntimeError("inner")

    with streams.enter(broken) as bad, streams.enter(lambda: None) as good:
        streams.review()
        assert bad.ended.result() == "its right could not be checked again"
        assert not good.ended.done()
    assert "could not be rechecked" in caplog.text


async def test_a_stop_of_the_server_ends_all():
    streams = LiveStreams()
    with streams.enter(lambda: None) as one, streams.enter(lambda: None) as two:
        streams.end_all("plane is stopping")
    assert one.ended.result() == two.ended.result() == "plane is stopping"


async def test_a_stream_leaves_the_registry_on_every_way_out():
    streams = LiveStreams()
    for error in (RuntimeError, asyncio.CancelledError, KeyboardInterrupt):
        with pytest.raises(error), streams.enter(lambda: None):
            raise error
    assert len(streams) == 0
