"""Raw bytes in, raw bytes out, over a loopback socket."""

import asyncio
import contextlib

import pytest

from plane.edge import connection as connection_module
from plane.edge.listener import Listener
from plane.proxy.call import Peer


class Server:
    """A listener whose calls are answered by a function of the test."""

    def __init__(self, answer):
        self.calls = []
        self._answer = answer
        self.listener = Listener(self._serve, lambda transport: Peer(address="127.0.0.1"))

    async def _serve(self, call):
        self.calls.append(call)
        await self._answer(call)


async def ok(call):
    body = b""
    if call.body is not None:
        while chunk := await call.body.read():
            body += chunk
    call.reply.head(200, [(b"X", call.target)], length=len(body))
    call.reply.data(body)
    call.reply.end()


@contextlib.asynccontextmanager
async def serving(answer=ok):
    server = Server(answer)
    server.port = await server.listener.open("127.0.0.1", 0, None)
    try:
        yield server
    finally:
        await server.listener.close(grace_seconds=0)


async def exchange(port, data, *, until=None, eof=False):
    """Send bytes; read until the marker, or until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        if eof:
            writer.write_eof()
        async with asyncio.timeout(10):
            if until is not None:
                return await reader.readuntil(until)
            return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_a_request_is_answered_and_the_connection_kept():
    async with serving() as server:
        answer = await exchange(server.port, GET + GET.replace(b"/a", b"/b"), until=b"X: /b\r\n")

    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert [call.target for call in server.calls] == [b"/a", b"/b"]


async def test_pipelined_requests_are_answered_in_order():
    gate = asyncio.Event()

    async def slow_first(call):
        if call.target == b"/a":
            await gate.wait()
        gate.set()
        await ok(call)

    async with serving(slow_first) as server:
        task = asyncio.get_running_loop().create_task(
            exchange(server.port, GET + GET.replace(b"/a", b"/b"), until=b"X: /b")
        )
        while not server.calls:
            await asyncio.sleep(0)
        assert len(server.calls) == 1
        gate.set()
        answer = await task

    assert answer.index(b"X: /a") < answer.index(b"X: /b")


@pytest.mark.parametrize("pieces", [1, 2, 7])
async def test_a_body_arrives_whole_under_any_chunking(pieces):
    data = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world"
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        size = len(data) // pieces + 1
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(0.005)
        answer = await reader.readuntil(b"hello world")
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_chunked_body_is_read_and_its_trailers_are_ignored():
    data = (
        b"POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\nImpersonate-User: root\r\n\r\n"
    )
    async with serving() as server:
        answer = await exchange(server.port, data, until=b"hello")

    assert answer.endswith(b"hello")
    assert b"impersonate-user" not in [name.lower() for name, _ in server.calls[0].headers]


@pytest.mark.parametrize(
    ("threat", "data"),
    [
        ("cl_and_te", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("te_and_cl", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
        ("two_content_lengths", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
        ("signed_content_length", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc"),
        ("obs_fold", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
        ("space_before_colon", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
        ("bare_lf", b"GET / HTTP/1.1\nHost: x\n\n"),
        ("nul_in_header", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n"),
        ("gzip_and_chunked", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ("chunked_twice", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("no_host", b"GET / HTTP/1.1\r\n\r\n"),
        ("two_hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("absolute_form", b"GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("connect", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("trace", b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("http_0_9", b"GET /\r\n\r\n"),
        ("upgrade_with_body", b"POST / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 3\r\n\r\nabc"),
        ("bytes_after_upgrade", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nGET /b HTTP/1.1\r\n"),
        ("header_bomb_count", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000 + b"\r\n"),
        ("header_bomb_size", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000 + b"\r\n\r\n"),
        ("endless_header", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 400_000),
        ("garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_a_head_that_two_readers_could_take_differently_is_refused(threat, data):
    async with serving() as server:
        answer = await exchange(server.port, data)

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431")), answer[:80]
    assert b"Connection: close" in answer
    assert not server.calls


@pytest.mark.parametrize("answer", [ok, lambda call: asyncio.sleep(60)])
async def test_an_endless_trailer_does_not_pile_up_memory(answer):
    """The parser keeps a header until its end: each new part would be copied onto the former."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: "
    async with serving(answer) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        with contextlib.suppress(OSError):
            async with asyncio.timeout(10):
                for _ in range(64):
                    writer.write(b"a" * 65536)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                await reader.read()
        async with asyncio.timeout(10):
            while server.listener.connections:
                await asyncio.sleep(0.01)
        writer.close()


async def test_a_refused_body_that_never_ends_is_cut_off(monkeypatch):
    monkeypatch.setattr(connection_module, "_DRAIN_SECONDS", 0.0)

    async def refuse(call):
        call.reply.head(401, [], length=0)
        call.reply.end()

    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
    async with serving(refuse) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        with contextlib.suppress(OSError):
            async with asyncio.timeout(10):
                while server.listener.connections or not server.calls:
                    writer.write(b"a")
                    await asyncio.sleep(0.05)
        assert not server.listener.connections
        writer.close()
        del reader


async def test_a_slow_upload_is_not_taken_for_a_slow_head(monkeypatch):
    monkeypatch.setattr(connection_module, "HEAD_SECONDS", 0.0)
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        for letter in (b"h", b"e", b"l", b"l", b"o"):
            await asyncio.sleep(0.5)  # the sweep of deadlines runs each second
            writer.write(letter)
        async with asyncio.timeout(10):
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_pipelined_body_is_not_dropped_with_the_answer_before_it():
    """Cut short it would be sent on as another body than the client's."""
    gate = asyncio.Event()

    async def wait(call):
        if call.target == b"/a":
            await gate.wait()
        await ok(call)

    async with serving(wait) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GET + b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc")
        while not server.calls:
            await asyncio.sleep(0)
        gate.set()
        async with asyncio.timeout(10):
            await reader.readuntil(b"X: /a\r\n")
            writer.write(b"def")
            assert (await reader.readuntil(b"abcdef")).count(b"HTTP/1.1 200") == 1
        writer.close()


async def test_a_slow_head_is_cut_off_by_its_deadline(monkeypatch):
    monkeypatch.setattr(connection_module, "HEAD_SECONDS", 0.0)
    async with serving() as server:
        assert await exchange(server.port, b"GET / HTTP/1.1\r\nHo") == b""


async def test_an_idle_connection_is_closed_by_its_deadline(monkeypatch):
    monkeypatch.setattr(connection_module, "IDLE_SECONDS", 0.0)
    async with serving() as server:
        answer = await exchange(server.port, GET)

    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_refused_body_does_not_lose_the_answer():
    async def refuse(call):
        call.reply.head(403, [], length=2)
        call.reply.data(b"no")
        call.reply.end()

    body = b"x" * 3_000_000
    head = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with serving(refuse) as server:
        answer = await exchange(server.port, head + body + GET, until=b"no")

    assert answer.startswith(b"HTTP/1.1 403")


async def test_expect_100_continue_is_answered_when_the_body_is_wanted():
    head = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hi")
        assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_client_that_leaves_cancels_its_call():
    cancelled = asyncio.Event()

    async def hang(call):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(hang) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GET)
        while not server.calls:
            await asyncio.sleep(0.001)
        writer.close()
        async with asyncio.timeout(10):
            await cancelled.wait()


async def test_an_answer_of_unknown_length_is_chunked_and_an_aborted_one_is_cut_off():
    async def half(call):
        call.reply.head(200, [], length=None)
        call.reply.data(b"part")
        call.reply.abort()

    async with serving(half) as server:
        with contextlib.suppress(ConnectionResetError):
            answer = await exchange(server.port, GET)
            assert not answer.endswith(b"0\r\n\r\n")


async def test_http_1_0_gets_a_body_that_ends_with_the_connection():
    async def stream(call):
        call.reply.head(200, [], length=None)
        call.reply.data(b"part")
        call.reply.end()

    async with serving(stream) as server:
        answer = await exchange(server.port, b"GET / HTTP/1.0\r\n\r\n")

    assert b"chunked" not in answer
    assert answer.endswith(b"\r\n\r\npart")


async def test_an_upgraded_connection_becomes_a_byte_stream():
    async def echo(call):
        stream = await call.reply.upgrade([(b"Connection", b"Upgrade"), (b"Upgrade", b"SPDY/3.1")])
        while data := await stream.read():
            await stream.write(data)
            if data.endswith(b"!"):
                break
        await stream.linger()

    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n\r\n"
    async with serving(echo) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        writer.write(b"GET / HTTP/1.1\r\n!")
        assert await reader.readexactly(17) == b"GET / HTTP/1.1\r\n!"
        writer.close()

    assert server.calls[0].upgrade == "SPDY/3.1"


async def test_a_refused_upgrade_closes_the_connection_so_nothing_rides_behind_it():
    async with serving() as server:
        answer = await exchange(
            server.port,
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )

    assert b"Connection: close" in answer


async def test_a_slow_reader_does_not_pile_up_memory():
    full = asyncio.Event()

    async def flood(call):
        call.reply.head(200, [], length=None)
        for _ in range(10_000):
            call.reply.data(b"x" * 4096)
            if call.reply.full:
                full.set()
                break
        room = asyncio.get_running_loop().create_future()
        call.reply.on_room(lambda: room.set_result(None))
        await room
        call.reply.end()

    async with serving(flood) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(GET)
        async with asyncio.timeout(10):
            await full.wait()
            while b"0\r\n\r\n" not in await reader.read(65536):
                pass
        writer.close()
