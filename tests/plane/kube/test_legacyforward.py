import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube.legacyforward import MAX_PORTS, PROTOCOLS, LegacyForwardTap, ports_of
from plane.kube.tap import PortData, PortFailed, PortOpened, TapError

CUTS = st.lists(st.integers(0, 100_000), max_size=12)
BINARY, BASE64 = PROTOCOLS["v4.channel.k8s.io"], PROTOCOLS["v4.base64.channel.k8s.io"]
LE = {80: b"\x50\0", 8099: b"\xa3\x1f"}


def tap(*ports, protocol=BINARY):
    return LegacyForwardTap(protocol, ports or (80,))


@pytest.fixture
def w(wire):
    return wire.ws


def test_two_ports(w):
    t = tap(80, 8099)
    greeting = b"".join(w.server(i, LE[port]) for i, port in enumerate((80, 80, 8099, 8099)))
    assert t.server(greeting) == [PortOpened(port=80), PortOpened(port=8099)]
    assert t.client(w.client(2, b"GET /") + w.client(0, b"x")) == [
        PortData(port=8099, sent=5, received=0),
        PortData(port=80, sent=1, received=0),
    ]
    assert t.server(w.server(2, b"200 OK") + w.server(1, b"refused")) == [
        PortData(port=8099, sent=0, received=6),
        PortFailed(port=80, message="refused"),
    ]
    assert t.finish() == []


@given(st.sampled_from([BINARY, BASE64]), st.binary(min_size=1, max_size=90), CUTS)
def test_a_session_survives_any_chunking(wire, protocol, payload, cuts):
    encode = wire.ws.base64 if protocol.base64 else wire.ws.frame
    if not protocol.base64:
        encode = lambda channel, data, **how: wire.ws.frame(bytes([channel]) + data, **how)  # noqa: E731
    down = encode(0, LE[80]) + encode(1, LE[80]) + encode(0, payload) + encode(1, b"refused")
    size = len(payload)
    t = tap(protocol=protocol)
    assert wire.feed(t.server, down, cuts) == [
        PortOpened(port=80),
        PortData(port=80, sent=0, received=size),
        PortFailed(port=80, message="refused"),
    ]
    up = encode(0, payload, key=wire.ws.KEY)
    assert wire.feed(t.client, up, cuts) == [PortData(port=80, sent=size, received=0)]


def test_another_port_than_asked_is_refused(w):
    with pytest.raises(TapError, match="8099 where 80"):
        tap(80).server(w.server(0, LE[8099]))


def test_an_error_cut_off_is_told_at_the_end(w):
    t = tap()
    t.server(w.server(1, LE[80]) + w.server(1, b"refused")[:-2])
    assert t.finish() == [PortFailed(port=80, message="refus")]


CLIENT_THREATS = {
    "writes to the error channel": lambda w: w.client(1, b"x"),
    "channel of no port": lambda w: w.client(2, b"x"),
    "fragmented to be misread": lambda w: w.frame(b"\0x", fin=False, key=w.KEY),
    "unmasked": lambda w: w.frame(b"\0x"),
}


@pytest.mark.parametrize("threat", CLIENT_THREATS)
def test_hostile_client_is_refused(w, threat):
    with pytest.raises(TapError):
        tap().client(CLIENT_THREATS[threat](w))


def test_bytes_on_a_channel_of_no_port_are_refused(w):
    with pytest.raises(TapError, match="no forwarded port"):
        tap().server(w.server(2, b"x"))


def test_base64_garbage_is_refused(w):
    with pytest.raises(TapError, match="base64"):
        tap(protocol=BASE64).client(w.frame(b"0***", opcode=1, key=w.KEY))


def test_ending_tells_the_reason_as_text(wire, w):
    t = tap()
    t.server(w.server(0, LE[80]))
    assert w.read(t.ending(wire.status)) == [(8, b"\x03\xe8")]
    t.server(w.server(1, LE[80]))
    assert w.read(t.ending(wire.status)) == [(2, b"\1locked"), (8, b"\x03\xe8")]
    t.server(b"\x88\0")
    assert t.ending(wire.status) == b""
    assert t.interrupt() == b""
    encoded = tap(protocol=BASE64)
    encoded.server(w.base64(1, LE[80]))
    assert w.read(encoded.ending(wire.status))[0] == (1, b"1" + base64.b64encode(b"locked"))


def test_prefixes_are_frame_boundaries(w):
    t = tap()
    data = w.server(0, LE[80])
    t.server(data + data[:2])
    t.client(w.client(0, b"x") + b"\x82")
    assert (t.safe_prefix(), t.client_prefix()) == (len(data), len(w.client(0, b"x")))


def test_ports_of_the_query():
    assert ports_of([("ports", "80"), ("x", "1"), ("ports", "443,8099")]) == [80, 443, 8099]


@pytest.mark.parametrize(
    "values", [[], [""], ["0"], ["80,"], ["http"], ["1"] * (MAX_PORTS + 1), ["65536"]]
)
def test_ports_that_are_none_are_refused(values):
    with pytest.raises(TapError):
        ports_of([("ports", value) for value in values])
