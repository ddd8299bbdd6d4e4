"""Which answers open a stream, by bytes; the whole way is tested in proxy/test_stream.py."""

import asyncio

import pytest

from plane.errors import UpstreamTimeout, UpstreamUnavailable
from plane.upstream import upgrade
from plane.upstream.upgrade import Answer, agrees, ask

SWITCH = b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"


class Said:
    """A stream whose peer says these chunks, then nothing more."""

    def __init__(self, *chunks, silent=False):
        self.chunks = list(chunks)
        self.written = b""
        self._silent = silent

    async def read(self):
        if self.chunks:
            return self.chunks.pop(0)
        if self._silent:
            await asyncio.Event().wait()
        return b""

    async def write(self, data):
        self.written += data


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_the_bytes_after_the_head_belong_to_the_stream(size):
    data = SWITCH + b"first"
    stream = Said(*[data[i : i + size] for i in range(0, len(data), size)])
    answer = await ask(stream, b"head", "west")
    assert answer.status == 101
    assert answer.rest + b"".join(stream.chunks) == b"first"
    assert stream.written == b"head"


async def test_hints_before_the_answer_are_skipped():
    answer = await ask(Said(b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + SWITCH), b"", "west")
    assert answer.status == 101
    assert b"Link" not in [name for name, _ in answer.headers]


async def test_a_refusal_comes_back_whole():
    said = (
        b"HTTP/1.1 403 X\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\nB: c\r\n\r\n"
    )
    answer = await ask(Said(said[:60], said[60:]), b"", "west")
    assert (answer.status, answer.body, answer.rest) == (403, b"no", b"")
    assert b"B" not in [name for name, _ in answer.headers]


async def test_a_switch_glued_to_a_refusal_opens_nothing():
    said = b"HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\nno" + SWITCH + b"stream"
    answer = await ask(Said(said), b"", "west")
    assert not agrees(answer, [(b"Upgrade", b"SPDY/3.1")])


@pytest.mark.parametrize(
    "said",
    [
        [],
        [b"HTTP/1.1 101"],
        [b"garbage\r\n\r\n"],
        [b"HTTP/1.1 403 X\r\nContent-Length: 9\r\n\r\nshort"],
        [b"HTTP/1.1 403 X\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
        [b"HTTP/1.1 403 X\r\nA: " + b"a" * 600_000, b"a" * 600_000],
    ],
    ids=["nothing", "half", "garbage", "cut_off", "two_framings", "bomb"],
)
async def test_what_is_no_answer_names_the_cluster(said):
    with pytest.raises(UpstreamUnavailable, match="cluster west broke off"):
        await ask(Said(*said), b"", "west")


async def test_a_silent_cluster_is_given_up(monkeypatch):
    monkeypatch.setattr(upgrade, "ANSWER_SECONDS", 0.0)
    with pytest.raises(UpstreamTimeout, match="cluster west"):
        await ask(Said(silent=True), b"", "west")


ASKED = [
    (b"Upgrade", b"websocket"),
    (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    (b"Sec-WebSocket-Protocol", b"v5.channel.k8s.io, v4.channel.k8s.io"),
]
SAID = {
    b"Upgrade": b"WebSocket",
    b"Sec-WebSocket-Accept": b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    b"Sec-WebSocket-Protocol": b"v4.channel.k8s.io",
}


def test_the_example_of_rfc_6455_agrees():
    assert agrees(Answer(status=101, headers=list(SAID.items())), ASKED)


@pytest.mark.parametrize(
    "change",
    [
        {b"Upgrade": b"SPDY/3.1"},
        {b"Upgrade": b""},
        {b"Sec-WebSocket-Accept": b"dGhlIHNhbXBsZSBub25jZQ=="},
        {b"Sec-WebSocket-Accept": b""},
        {b"Sec-WebSocket-Protocol": b"v6.channel.k8s.io"},
        {b"Sec-WebSocket-Protocol": b"v5.channel.k8s.io, v4.channel.k8s.io"},
        {b"Sec-WebSocket-Extensions": b"permessage-deflate"},
    ],
    ids=str,
)
def test_a_101_for_something_else_does_not_agree(change):
    headers = list((SAID | change).items())
    assert not agrees(Answer(status=101, headers=headers), ASKED)


@pytest.mark.parametrize("status", [100, 200, 204, 302, 403, 500])
def test_nothing_but_101_agrees(status):
    assert not agrees(Answer(status=status, headers=list(SAID.items())), ASKED)
