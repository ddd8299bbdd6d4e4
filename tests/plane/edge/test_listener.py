"""How many may come, how long they may idle, and how it all ends."""

import asyncio
import contextlib
import time

import pytest
from loopback.client import connected

from plane.edge import listener as module
from plane.edge.listener import Listener
from plane.proxy.call import Peer

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def answer(call):
    call.reply.head(200, [], length=2)
    call.reply.data(b"ok")
    call.reply.end()


async def opened(serve=answer):
    listener = Listener(serve, lambda _: Peer(address="127.0.0.1"))
    return listener, await listener.open("127.0.0.1", 0, None)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_connections_are_counted_and_forgotten():
    listener, port = await opened()
    async with connected(port) as one, connected(port) as two:
        await one.ask(GET)
        await two.ask(GET)
        assert listener.connections == 2
    await until(lambda: listener.connections == 0)
    await listener.close(grace_seconds=0)


async def test_a_flood_of_connections_is_cut_and_the_first_ones_stay(monkeypatch):
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 1)
    listener, port = await opened()
    async with connected(port) as first, connected(port) as second:
        assert (await first.ask(GET)).body == b"ok"
        assert await second.rest() == b""
        assert (await first.ask(GET)).body == b"ok"
        assert listener.connections == 1
    await until(lambda: listener.connections == 0)
    async with connected(port) as third:
        assert (await third.ask(GET)).body == b"ok"
    await listener.close(grace_seconds=0)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost:", GET], ids=["new", "slow", "idle"]
)
async def test_a_slow_or_idle_client_is_swept(sent):
    """Slowloris: the head must be in by its deadline, whatever trickles in."""
    listener, port = await opened()
    async with connected(port) as client:
        client.writer.write(sent)
        await until(lambda: listener.connections == 1)
        if sent == GET:
            assert (await client.answered()).body == b"ok"
        [connection] = listener._connections
        if sent and sent != GET:
            await until(lambda: connection._unparsed == len(sent))
        await until(lambda: connection.deadline is not None)
        assert connection.deadline > time.monotonic()
        connection.deadline = time.monotonic() - 1
        with contextlib.suppress(ConnectionResetError):
            assert await client.rest() == b""
    await listener.close(grace_seconds=0)


async def test_trickling_bytes_do_not_move_the_deadline():
    listener, port = await opened()
    async with connected(port) as client:
        client.writer.write(b"GET / HTTP/1.1\r\n")
        await until(lambda: listener.connections == 1)
        [connection] = listener._connections
        await until(lambda: connection._unparsed > 0)
        before = connection.deadline
        client.writer.write(b"A: b\r\n")
        await until(lambda: connection._unparsed > 16)
        assert connection.deadline == before
    await listener.close(grace_seconds=0)


async def test_requests_under_way_finish_before_the_end():
    release, arrived = asyncio.Event(), asyncio.Event()

    async def slow(call):
        arrived.set()
        await release.wait()
        await answer(call)

    listener, port = await opened(slow)
    async with connected(port) as idle, connected(port) as busy:
        await until(lambda: listener.connections == 2)
        busy.writer.write(GET)
        await arrived.wait()
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(listener.close(grace_seconds=10))
            assert await idle.rest() == b""
            release.set()
            found = await busy.answered()
        assert found.body == b"ok"
        assert await busy.rest() == b""
    with pytest.raises(OSError):
        async with connected(port):
            pass


async def test_what_does_not_finish_within_the_grace_is_cut():
    ended = asyncio.Event()

    async def forever(call):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    listener, port = await opened(forever)
    async with connected(port) as client:
        client.writer.write(GET)
        await until(lambda: listener.connections == 1)
        [connection] = listener._connections
        await until(lambda: not connection.idle)
        async with asyncio.timeout(10):
            await listener.close(grace_seconds=0)
            await ended.wait()
        with contextlib.suppress(ConnectionResetError):
            assert await client.rest() == b""
