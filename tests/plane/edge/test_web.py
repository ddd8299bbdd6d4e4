"""What goes to the web application carries the edge's word, and none of the client's."""

import asyncio
import contextlib

import pytest
from loopback.client import connected
from loopback.cluster import Asked, answer

from plane.edge.listener import Listener
from plane.edge.web import WebForwarder
from plane.proxy.call import Peer


class House:
    def __init__(self, folder):
        self.socket = folder / "web.sock"
        self.web = WebForwarder(self.socket)
        self.peer = Peer(address="192.0.2.7", session_id="s1")
        self.asked = []
        self.said = answer(200, b"page", b"Set-Cookie: a=b")

    async def _application(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                asked = Asked(head=await reader.readuntil(b"\r\n\r\n"), connection=0)
                if lengths := asked.all(b"content-length"):
                    asked.body = await reader.readexactly(int(lengths[0]))
                self.asked.append(asked)
                writer.write(self.said)
                if b"100000" in self.said:
                    break
        writer.close()

    @contextlib.asynccontextmanager
    async def up(self, *, application=True):
        server = None
        if application:
            server = await asyncio.start_unix_server(self._application, self.socket)
        listener = Listener(self.web.serve, lambda _: self.peer)
        self.port = await listener.open("127.0.0.1", 0, None)
        try:
            yield self
        finally:
            await listener.close(grace_seconds=0)
            self.web.close()
            if server is not None:
                server.close()
            await asyncio.sleep(0.01)

    async def ask(self, *lines, start=b"GET /v1/ping?a=b HTTP/1.1", body=b""):
        async with connected(self.port) as client:
            return await client.ask(b"\r\n".join([start, b"Host: plane", *lines, b"", body]))


@pytest.fixture
async def house(tmp_path):
    async with House(tmp_path).up() as house:
        yield house


async def test_the_edge_says_who_is_connected(house):
    found = await house.ask(b"Cookie: c=d", b"Authorization: Bearer t")
    [asked] = house.asked

    assert (found.code, found.body, found.first(b"set-cookie")) == (200, b"page", b"a=b")
    assert asked.line == b"GET /v1/ping?a=b HTTP/1.1"
    assert asked.all(b"host") == [b"plane"]
    assert asked.all(b"cookie") == [b"c=d"]
    assert asked.all(b"authorization") == [b"Bearer t"]
    assert asked.all(b"plane-edge") == [house.web.secret.encode()]
    assert asked.all(b"plane-client-address") == [b"192.0.2.7"]
    assert asked.all(b"plane-session") == [b"s1"]
    assert asked.all(b"x-forwarded-proto") == [b"https"]


@pytest.mark.parametrize(
    "lines",
    [
        [b"Plane-Session: s2", b"plane-client-address: 1.1.1.1", b"PLANE-EDGE: guess"],
        [b"Plane_Session: s2", b"plane_edge: guess"],
        [b"X-Forwarded-Proto: gopher", b"X_Forwarded_For: 1.1.1.1", b"X-Forwarded-Host: evil"],
        [b"Forwarded: for=1.1.1.1"],
        [b"Connection: Plane-Session, Plane-Edge, X-Forwarded-Proto", b"Plane-Session: s2"],
    ],
    ids=lambda lines: b" ".join(lines).decode(),
)
async def test_a_client_cannot_say_it_itself(house, lines):
    house.peer = Peer(address="192.0.2.7", secure=False)
    await house.ask(*lines)
    [asked] = house.asked
    ours = [
        pair
        for pair in asked.headers
        if pair[0]
        .lower()
        .replace(b"_", b"-")
        .startswith((b"plane-", b"x-forwarded-", b"forwarded"))
    ]
    assert ours == [
        (b"Plane-Edge", house.web.secret.encode()),
        (b"Plane-Client-Address", b"192.0.2.7"),
        (b"X-Forwarded-Proto", b"http"),
    ]


async def test_every_process_has_a_secret_of_its_own(tmp_path):
    one, two = WebForwarder(tmp_path / "a"), WebForwarder(tmp_path / "a")
    assert one.secret != two.secret
    assert len(one.secret) >= 40


async def test_a_body_is_sent_on(house):
    await house.ask(b"Content-Length: 5", start=b"POST /v1/logout HTTP/1.1", body=b"hello")
    assert house.asked[0].body == b"hello"


async def test_hop_by_hop_headers_stay(house):
    lines = [b"Connection: X-Mine", b"X-Mine: a", b"TE: trailers", b"Keep-Alive: 5"]
    await house.ask(*lines)
    names = [name.lower() for name, _ in house.asked[0].headers]
    assert not {b"x-mine", b"te", b"keep-alive", b"connection"} & set(names)


async def test_an_upgrade_does_not_reach_the_application(house):
    found = await house.ask(b"Connection: Upgrade", b"Upgrade: websocket")
    assert found.code == 200
    assert house.asked[0].all(b"upgrade") == house.asked[0].all(b"connection") == []


async def test_an_application_that_is_down_is_a_status(tmp_path):
    async with House(tmp_path).up(application=False) as house:
        found = await house.ask()
    assert found.code == 503
    assert b'"kind": "Status"' in found.body
    assert b"not up" in found.body
    assert str(tmp_path).encode() not in found.body


async def test_an_answer_that_breaks_off_does_not_look_whole(house):
    house.said = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf"
    async with connected(house.port) as client:
        client.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            data = await client.rest()
        except ConnectionResetError:
            data = b""
    assert len(data) < 100000
