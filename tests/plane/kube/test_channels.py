import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube.channels import PROTOCOLS, ChannelTap
from plane.kube.tap import Ended, Input, Output, Resize, TapError

CUTS = st.lists(st.integers(0, 100_000), max_size=12)
V5, V4, PLAIN = (
    PROTOCOLS[name] for name in ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io")
)
B64, V4_B64 = PROTOCOLS["base64.channel.k8s.io"], PROTOCOLS["v4.base64.channel.k8s.io"]
SUCCESS = b'{"metadata":{},"status":"Success"}'
CLOSE = b"\x88\x02\x03\xe8"


def tap(protocol=V5, **how):
    return ChannelTap(protocol, **{"stdin": True, "tty": True, **how})


@pytest.fixture
def w(wire):
    return wire.ws


def test_a_session_as_kubectl_1_33_has_it(w):
    t = tap()
    assert t.server(w.server(1)) == []  # the greeting
    assert t.client(w.client(4, b'{"Width":80,"Height":24}\n')) == [Resize(width=80, height=24)]
    assert t.client(w.client(0, b"ls\r") + w.frame(b"", opcode=9, key=w.KEY)) == [
        Input(data=b"ls\r", size=3)
    ]
    assert t.server(w.frame(b"", opcode=10) + w.server(1, b"ls\r\n") + w.server(1, b"bin\r\n")) == [
        Output(stream="stdout", data=b"ls\r\nbin\r\n")
    ]
    assert t.client(w.client(255, b"\0")) == []
    ended = t.server(w.server(2, b"oops") + w.server(3, SUCCESS) + CLOSE)
    assert ended == [
        Output(stream="stderr", data=b"oops"),
        Ended(status=json.loads(SUCCESS)),
    ]
    assert t.finish() == []


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=200)), max_size=8),
    st.sampled_from(list(PROTOCOLS)),
    CUTS,
)
def test_output_survives_any_chunking(wire, writes, name, cuts):
    protocol, w = PROTOCOLS[name], wire.ws
    encode = w.base64 if protocol.base64 else w.server
    data = b"".join(encode(channel, payload) for channel, payload in writes)
    names = {1: "stdout", 2: "stderr"}
    expected = wire.merged([Output(stream=names[c], data=p) for c, p in writes if p])
    assert wire.feed(tap(protocol).server, data, cuts) == expected


@given(st.lists(st.binary(max_size=3000), max_size=4), st.sampled_from(list(PROTOCOLS)), CUTS)
def test_input_survives_any_chunking(wire, writes, name, cuts):
    protocol, w = PROTOCOLS[name], wire.ws
    encode = w.base64 if protocol.base64 else w.client
    data = b"".join(encode(0, payload, key=w.KEY) for payload in writes)
    whole = b"".join(writes)
    expected = [Input(data=whole, size=len(whole))] if whole else []
    assert wire.feed(tap(protocol).client, data, cuts) == expected
    counted = wire.feed(tap(protocol, input_data=False).client, data, cuts)
    assert sum(event.size for event in counted) == len(whole)
    if not protocol.base64:
        assert all(not event.data for event in counted)


@given(st.lists(st.binary(max_size=90), min_size=1, max_size=5), st.booleans(), CUTS)
def test_fragmented_output_keeps_its_channel(wire, parts, in_base64, cuts):
    """Our cluster writes whole messages; another may not, and the client would join them."""
    w, whole = wire.ws, b"\2" + b"".join(parts)
    frames = list(parts)
    if in_base64:
        whole = b"2" + base64.b64encode(b"".join(parts))
        frames = [whole[1:][i : i + 7] for i in range(0, len(whole) - 1, 7)]
    frames = [whole[:1], *frames]
    data = b""
    for i, part in enumerate(frames):
        data += w.frame(part, opcode=0 if i else 2, fin=i == len(frames) - 1)
    got = wire.feed(tap(V4_B64 if in_base64 else V4).server, data, cuts)
    text = b"".join(parts)
    assert got == ([Output(stream="stderr", data=text)] if text else [])


def test_the_channel_byte_may_come_after_an_empty_first_fragment(w):
    t = tap()
    assert t.server(w.frame(b"", fin=False) + w.frame(b"\1x", opcode=0)) == [
        Output(stream="stdout", data=b"x")
    ]


@given(CUTS)
def test_status_survives_any_chunking(wire, cuts):
    data = wire.ws.server(1) + wire.ws.server(3, SUCCESS) + CLOSE
    assert wire.feed(tap().server, data, cuts) == [Ended(status=json.loads(SUCCESS))]


def test_an_empty_greeting_on_the_error_channel_is_not_the_end(w):
    """With neither stdout nor stderr wanted, the cluster greets there."""
    t = tap()
    assert t.server(w.server(3)) == []
    assert t.server(w.server(3, SUCCESS)) == [Ended(status=json.loads(SUCCESS))]


def test_un_numbered_protocol_ends_by_close_or_by_text(w):
    assert tap(PLAIN).server(w.server(1, b"x") + CLOSE)[-1] == Ended(status=None)
    assert tap(PLAIN).server(w.server(3, b"exit 7")) == [Ended(status=None, message="exit 7")]


def test_close_without_status_is_no_end_of_the_command(w):
    assert tap().server(CLOSE) == []


def test_a_status_cut_off_by_the_connection_is_told(w):
    t = tap()
    assert t.server(w.server(3, SUCCESS)[:-1]) == []
    assert t.finish() == [Ended(status=None, message=SUCCESS.decode()[:-1])]


def test_text_frames_carry_input_too(w):
    """The kubelet reads the opcode of no message: typing in text frames must not go unseen."""
    events = tap().client(w.frame(b"\0id\r", opcode=1, key=w.KEY))
    assert events == [Input(data=b"id\r", size=3)]


def test_binary_frames_carry_base64_too(w):
    events = tap(B64).client(w.frame(b"0aWQN", key=w.KEY))
    assert events == [Input(data=b"id\r", size=3)]


@pytest.mark.parametrize("protocol", [V4, PLAIN, B64])
def test_before_v5_channel_255_is_ignored_as_in_the_cluster(w, protocol):
    t = tap(protocol, tty=False)
    channel = bytes([255 + 48 & 255]) if protocol.base64 else b"\xff"
    assert t.client(w.frame(channel, key=w.KEY)) == []


BASE64_GARBAGE = [
    b"!!!!",
    b"QQ",
    b"QQ=",
    b"QQ==QQ==",
    b"Q\nQ==",
    b"QQ==x",
    b"====",
    b"QUJD\0",
    b"Q",
]


@pytest.mark.parametrize("digits", BASE64_GARBAGE)
def test_base64_garbage_is_refused(wire, w, digits):
    for cut in range(len(digits) + 8):
        data = w.frame(b"1" + digits, opcode=1)
        with pytest.raises(TapError, match="base64"):
            wire.feed(tap(B64).server, data, [cut])


CLIENT_THREATS = {
    "fragmented to be misread": lambda w: w.frame(b"\4{", fin=False, key=w.KEY),
    "continuation without start": lambda w: w.frame(b"\0rm", opcode=0, key=w.KEY),
    "unmasked": lambda w: w.frame(b"\0rm"),
    "writes to stdout": lambda w: w.client(1, b"forged"),
    "writes to the error channel": lambda w: w.client(3, SUCCESS),
    "unknown channel": lambda w: w.client(5, b"x"),
    "channel 48, base64's digit on a binary wire": lambda w: w.frame(b"0aWQN", opcode=1, key=w.KEY),
    "half-close of nothing": lambda w: w.client(255),
    "half-close of two": lambda w: w.client(255, b"\0\0"),
    "half-close of an unknown channel": lambda w: w.client(255, b"\x09"),
}


@pytest.mark.parametrize("threat", CLIENT_THREATS)
def test_hostile_client_is_refused(w, threat):
    with pytest.raises(TapError):
        tap().client(CLIENT_THREATS[threat](w))


@pytest.mark.parametrize("channel", [0, 4, 5, 48, 49, 255])
def test_output_on_a_foreign_channel_is_refused(w, channel):
    with pytest.raises(TapError):
        tap().server(w.server(channel, b"unrecorded"))


def test_output_on_a_foreign_channel_in_base64_is_refused(w):
    with pytest.raises(TapError):
        tap(B64).server(w.frame(b"\x01eA==", opcode=1))


def test_status_bomb_is_refused(w):
    t = tap()
    with pytest.raises(TapError, match="longer"):
        t.server(w.server(3, bytes(70_000)))


def test_ending_is_the_status_then_close_1000(wire, w):
    assert w.read(tap().ending(wire.status)) == [(2, b"\3" + wire.status), (8, b"\x03\xe8")]


def test_ending_in_base64(wire, w):
    opcode, text = w.read(tap(V4_B64).ending(wire.status))[0]
    assert (opcode, text[:1], base64.b64decode(text[1:])) == (1, b"3", wire.status)


def test_ending_before_v4_is_text(wire, w):
    assert w.read(tap(PLAIN).ending(wire.status))[0] == (2, b"\3locked")
    assert w.read(tap(B64).ending(wire.status))[0] == (1, b"3" + base64.b64encode(b"locked"))


def test_ending_after_the_clusters_own(wire, w):
    t = tap()
    t.server(w.server(3, SUCCESS))
    assert w.read(t.ending(wire.status)) == [(8, b"\x03\xe8")]
    t.server(CLOSE)
    assert t.ending(wire.status) == b""


def test_interrupt_types_into_a_terminal(w):
    keys = tap().interrupt()
    assert w.read(keys) == [(2, b"\0\x03\x04")]
    assert tap().client(keys) == [Input(data=b"\x03\x04", size=2)]
    assert w.read(tap(B64).interrupt()) == [(1, b"0" + base64.b64encode(b"\x03\x04"))]


def test_interrupt_closes_a_pipe_and_puts_no_bytes_into_it(w):
    """^C in the middle of an upload would become a byte of somebody's file."""
    assert w.read(tap(tty=False).interrupt()) == [(2, b"\xff\0")]
    assert tap(V4, tty=False).interrupt() == b""


def test_interrupt_needs_an_open_stdin(w):
    assert tap(stdin=False).interrupt() == b""
    t = tap()
    t.client(w.client(255, b"\4"))
    assert t.interrupt()
    t.client(w.client(255, b"\0"))
    assert t.interrupt() == b""
    gone = tap()
    gone.client(w.frame(b"\x03\xe8", opcode=8, key=w.KEY))
    assert gone.interrupt() == b""


@given(st.lists(st.binary(max_size=200), max_size=5), CUTS)
def test_prefixes_are_frame_boundaries(wire, payloads, cuts):
    t = tap()
    server = [(wire.ws.server(1, payload), True) for payload in payloads]
    wire.check_prefixes(t.server, t.safe_prefix, server, cuts)
    client = [(wire.ws.client(0, payload), True) for payload in payloads]
    wire.check_prefixes(t.client, t.client_prefix, client, cuts)


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.data())
def test_a_session_cut_at_the_prefix_reads_whole_for_the_client(wire, payloads, data):
    t, sent = tap(), b""
    whole = b"".join(wire.ws.server(1, payload) for payload in payloads)
    for part in wire.chunks(whole, data.draw(CUTS)):
        t.server(part)
        prefix = t.safe_prefix()
        if prefix is not None and data.draw(st.booleans()):
            frames = wire.ws.read(sent + part[:prefix] + t.ending(wire.status))
            assert frames[-2:] == [(2, b"\3" + wire.status), (8, b"\x03\xe8")]
            assert all(payload[1:] in payloads for _, payload in frames[:-2])
        sent += part


@given(st.binary(max_size=200), st.booleans(), st.sampled_from(list(PROTOCOLS)), CUTS)
def test_noise_is_followed_or_refused_but_never_crashes(wire, noise, from_client, name, cuts):
    t = tap(PROTOCOLS[name])
    with contextlib.suppress(TapError):
        wire.feed(t.client if from_client else t.server, noise, cuts)
    t.finish()
