"""Exchanges with a fake cluster that speaks raw bytes over a loopback socket."""

import asyncio
import contextlib

import pytest

from plane.errors import UpstreamTimeout, UpstreamUnavailable
from plane.upstream import pool as pool_module
from plane.upstream.direct import Address, DirectDialer
from plane.upstream.pool import Pool

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.asynccontextmanager
async def cluster(script):
    """A server that runs `script(reader, writer, number of the connection)` per connection."""
    tasks = []
    count = 0

    async def accept(reader, writer):
        nonlocal count
        count += 1
        tasks.append(asyncio.current_task())
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await script(reader, writer, count)
            with contextlib.suppress(OSError):
                await writer.drain()
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(
        DirectDialer(Address(cluster="c", host="127.0.0.1", port=port, tls=None, token="t"))
    )
    try:
        yield pool
    finally:
        pool.close()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0.01)


async def head_of(reader):
    return await reader.readuntil(b"\r\n\r\n")


async def get(pool, **changes):
    arguments = {"length": None, "deadline": True, **changes}
    exchange = await pool.send(b"GET", b"/x", [(b"A", b"b")], None, **arguments)
    if not exchange.complete:
        exchange.attach(Keep())
    await exchange.done
    return exchange


class Keep:
    """A sink that takes everything."""

    full = False

    def data(self, chunk):
        pass

    def on_room(self, callback):
        pass


async def test_a_connection_is_used_again_and_carries_our_credential():
    heads = []

    async def script(reader, writer, number):
        while True:
            heads.append((number, await head_of(reader)))
            writer.write(OK)

    async with cluster(script) as pool:
        for _ in range(3):
            exchange = await get(pool)
            assert (exchange.status, exchange.take_buffered()) == (200, b"ok")

    assert [number for number, _ in heads] == [1, 1, 1]
    assert b"Authorization: Bearer t\r\n" in heads[0][1]
    assert heads[0][1].startswith(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_a_get_on_a_connection_that_went_stale_is_sent_again_once():
    async def script(reader, writer, number):
        await head_of(reader)
        writer.write(OK)
        await writer.drain()
        if number == 1:
            await head_of(reader)
            return

    async with cluster(script) as pool:
        await get(pool)
        exchange = await get(pool)

    assert exchange.status == 200


async def test_a_change_is_never_sent_twice():
    seen = []

    async def script(reader, writer, number):
        seen.append(await head_of(reader))
        if number == 1:
            writer.write(OK)
            seen.append(await head_of(reader))

    async with cluster(script) as pool:
        await get(pool)
        with pytest.raises(UpstreamUnavailable):
            await pool.send(b"POST", b"/x", [], None, length=0, deadline=True)

    assert len(seen) == 2


async def test_an_answer_nobody_asked_for_closes_the_connection():
    async def script(reader, writer, number):
        await head_of(reader)
        writer.write(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        await writer.drain()
        await head_of(reader)
        writer.write(OK)

    async with cluster(script) as pool:
        await get(pool)
        await asyncio.sleep(0)
        exchange = await get(pool)
        assert exchange.take_buffered() == b"ok"


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"",
    ],
    ids=["garbage", "cl_and_te", "header_bomb", "cut_off", "nothing"],
)
async def test_a_broken_answer_is_a_named_error(answer):
    async def script(reader, writer, number):
        await head_of(reader)
        writer.write(answer)
        await writer.drain()

    async with cluster(script) as pool:
        with pytest.raises(UpstreamUnavailable, match="cluster c"):
            await get(pool)


async def test_early_hints_are_skipped_and_trailers_are_not_headers():
    async def script(reader, writer, number):
        await head_of(reader)
        writer.write(
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n"
        )

    async with cluster(script) as pool:
        exchange = await get(pool)

    assert exchange.take_buffered() == b"ok"
    assert [name for name, _ in exchange.headers] == [b"Transfer-Encoding"]


async def test_a_head_request_ends_with_its_head():
    async def script(reader, writer, number):
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with cluster(script) as pool:
        exchange = await pool.send(b"HEAD", b"/x", [], None, length=None, deadline=True)
        await exchange.done

    assert exchange.status == 200


async def test_a_silent_cluster_is_given_up(monkeypatch):
    monkeypatch.setattr(pool_module, "HEAD_SECONDS", 0.0)

    async def script(reader, writer, number):
        await reader.read()

    async with cluster(script) as pool:
        with pytest.raises(UpstreamTimeout, match="cluster c"):
            await get(pool)


async def test_a_cluster_that_is_down_is_named():
    async def script(reader, writer, number):
        raise AssertionError

    async with cluster(script) as pool:
        address = pool.dialer._address
    dead = Pool(DirectDialer(address))
    with pytest.raises(
        UpstreamUnavailable, match=r"cluster c cannot be reached \(connection refused"
    ):
        await get(dead)
    dead.close()


class Chunks:
    def __init__(self, *chunks):
        self._chunks = list(chunks)

    async def read(self):
        return self._chunks.pop(0) if self._chunks else b""


@pytest.mark.parametrize("length", [6, None])
async def test_a_body_is_streamed_with_its_framing(length):
    got = bytearray()

    async def script(reader, writer, number):
        got.extend(await head_of(reader))
        got.extend(await reader.readuntil(b"def" if length else b"0\r\n\r\n"))
        writer.write(OK)

    async with cluster(script) as pool:
        exchange = await pool.send(
            b"POST", b"/x", [], Chunks(b"abc", b"def"), length=length, deadline=True
        )
        await exchange.done

    assert (b"Content-Length: 6" in got) == (length == 6)
    assert got.endswith(b"abcdef" if length else b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")


async def test_a_connection_answered_before_its_body_was_through_is_not_reused():
    async def script(reader, writer, number):
        await head_of(reader)
        writer.write(OK)
        await writer.drain()
        await reader.read()

    class Endless:
        async def read(self):
            await asyncio.sleep(0)
            return b"x" * 1000

    async with cluster(script) as pool:
        exchange = await pool.send(b"POST", b"/x", [], Endless(), length=None, deadline=True)
        await exchange.done
        assert "idle=0" in repr(pool)


async def test_a_slow_reader_holds_the_cluster_back():
    async def script(reader, writer, number):
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(5000):
            writer.write(b"x" * 10_000)
            await writer.drain()
        await reader.read()

    class Slow:
        def __init__(self):
            self.got = 0
            self.full = True
            self.room = None

        def data(self, chunk):
            self.got += len(chunk)

        def on_room(self, callback):
            self.room = callback

    async with cluster(script) as pool:
        exchange = await pool.send(b"GET", b"/x", [], None, length=None, deadline=True)
        sink = Slow()
        sink.data(exchange.take_buffered())
        exchange.attach(sink)
        for _ in range(50):
            await asyncio.sleep(0.001)
        held = sink.got
        assert held < 2_000_000
        sink.full = False
        sink.room()
        async with asyncio.timeout(20):
            await exchange.done
        assert sink.got == 50_000_000
        exchange.detach()
