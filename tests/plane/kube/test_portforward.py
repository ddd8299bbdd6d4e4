import contextlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube import portforward
from plane.kube.portforward import SpdyForwardTap, TunnelForwardTap, port_number
from plane.kube.tap import PortData, PortFailed, PortOpened, TapError

CUTS = st.lists(st.integers(0, 100_000), max_size=12)
KEY = bytes.fromhex("37fa213d")


@pytest.fixture
def up(wire):
    return wire.spdy()


@pytest.fixture
def down(wire):
    return wire.spdy()


def totals(events):
    """Bytes per port, and everything else in order."""
    sent, received, rest = Counter(), Counter(), []
    for event in events:
        if isinstance(event, PortData):
            sent[event.port] += event.sent
            received[event.port] += event.received
        else:
            rest.append(event)
    return +sent, +received, rest


def test_two_connections_as_kubectl_has_them(up, down):
    t = SpdyForwardTap()
    opening = up.port(1, "error", 8080) + up.data(1, fin=True) + up.port(3, "data", 8080)
    assert t.client(opening + up.data(3, b"GET /")) == [
        PortOpened(port=8080),
        PortData(port=8080, sent=5, received=0),
    ]
    assert t.server(
        down.reply(1) + down.reply(3) + down.data(3, b"200") + down.data(3, b" OK")
    ) == [PortData(port=8080, sent=0, received=6)]
    assert t.client(up.port(5, "error", 5432, "1") + up.port(7, "data", 5432, "1") + up.ping()) == [
        PortOpened(port=5432)
    ]
    assert t.server(down.reply(5) + down.data(5, b"connection ") + down.data(5, b"refused")) == []
    assert t.server(down.data(5, fin=True)) == [PortFailed(port=5432, message="connection refused")]
    assert t.finish() == []


def test_an_error_cut_off_is_told_at_the_end(up, down):
    t = SpdyForwardTap()
    t.client(up.port(1, "error", 80))
    t.server(down.data(1, b"no such"))
    assert t.finish() == [PortFailed(port=80, message="no such")]


def test_an_endless_error_is_cut(up, down):
    t = SpdyForwardTap()
    t.client(up.port(1, "error", 80))
    for _ in range(10):
        t.server(down.data(1, b"x" * 1000))
    [failed] = t.server(down.reset(1))
    assert failed.message == "x" * portforward.MAX_MESSAGE_BYTES


def test_closed_streams_are_forgotten(up, down):
    """A port-forward lives for days and connections: the table must not grow."""
    t = SpdyForwardTap()
    for number in range(1, 40_001, 4):
        t.client(
            up.port(number, "error", 80, str(number)) + up.port(number + 2, "data", 80, str(number))
        )
        t.server(down.data(number, fin=True) + down.data(number + 2, b"x", fin=True))
    assert not t._streams
    assert not t._pairs
    assert t.client(up.data(3, b"late")) == []


def test_stream_flood_is_refused(up, monkeypatch):
    monkeypatch.setattr(portforward, "MAX_OPEN_STREAMS", 10)
    t = SpdyForwardTap()
    for number in range(1, 21, 2):
        t.client(up.port(number, "error", 80, str(number)))
    with pytest.raises(TapError, match="more than"):
        t.client(up.port(21, "error", 80, "21"))


THREATS = {
    "unknown streamtype": lambda w: w.port(5, "stdin", 80, "1"),
    "missing streamtype": lambda w: w.syn(5, more=[("port", "80")]),
    "missing port": lambda w: w.syn(5, "data"),
    "port 0": lambda w: w.port(5, "data", 0, "1"),
    "port 65536": lambda w: w.port(5, "data", 65536, "1"),
    "port with a sign": lambda w: w.port(5, "data", "+80", "1"),
    "port in other digits": lambda w: w.port(5, "data", "\xb2", "1"),
    "port of five thousand zeros": lambda w: w.port(5, "data", "0" * 5000 + "80", "1"),
    "duplicate port header": lambda w: w.syn(5, "data", more=[("port", "80"), ("port", "22")]),
    "two ports in one header": lambda w: w.port(5, "data", "80\x0022", "1"),
    "duplicate stream of a connection": lambda w: w.port(5, "data", 22),
    "duplicate stream id": lambda w: w.port(3, "data", 80, "1"),
    "even stream id": lambda w: w.port(6, "data", 80, "1"),
    "data before the stream": lambda w: w.data(5, b"x"),
}


@pytest.mark.parametrize("threat", THREATS)
@pytest.mark.parametrize("tunnelled", [False, True])
def test_hostile_client_is_refused(wire, up, threat, tunnelled):
    t = TunnelForwardTap() if tunnelled else SpdyForwardTap()
    wrap = (lambda data: wire.ws.frame(data, key=KEY)) if tunnelled else lambda data: data
    t.client(wrap(up.port(1, "error", 80) + up.port(3, "data", 80)))
    with pytest.raises(TapError):
        t.client(wrap(THREATS[threat](up)))


def test_a_stream_of_the_clusters_own_is_refused(down):
    with pytest.raises(TapError, match="cluster"):
        SpdyForwardTap().server(down.syn(2, "data"))


def test_ports_are_read_as_go_reads_them():
    assert port_number("00080") == 80
    for text in ("", "0x50", "8_0", "80 ", "-1", "1e3"):
        with pytest.raises(TapError):
            port_number(text)


def test_ending_tells_the_open_connections(wire, up, down):
    t = SpdyForwardTap()
    t.client(up.port(1, "error", 80) + up.port(3, "data", 80) + up.port(5, "error", 80, "1"))
    t.server(down.reply(1) + down.reply(3))
    assert down.read(t.ending(wire.status)) == [
        ("data", 1, 1, b"locked"),
        ("data", 3, 1, b""),
        (7, 5, 0, bytes(4)),
    ]
    t.server(down.goaway(5))
    assert t.ending(wire.status) == b""
    assert t.interrupt() == b""


@st.composite
def traffic(draw):
    ports = draw(st.lists(st.sampled_from([80, 443, 5432]), min_size=1, max_size=4))
    writes = st.lists(st.tuples(st.integers(0, len(ports) - 1), st.binary(max_size=90)), max_size=6)
    return ports, draw(writes), draw(writes)


def conversation(wire, ports, sent, received):
    up, down, first, back = wire.spdy(), wire.spdy(), b"", b""
    for i, port in enumerate(ports):
        first += up.port(4 * i + 1, "error", port, str(i)) + up.port(
            4 * i + 3, "data", port, str(i)
        )
        back += down.reply(4 * i + 1) + down.reply(4 * i + 3)
    first += b"".join(up.data(4 * i + 3, data) for i, data in sent)
    back += b"".join(down.data(4 * i + 3, data) for i, data in received)
    back += down.data(1, b"broken", fin=True)
    expected_sent, expected_received = Counter(), Counter()
    for i, data in sent:
        expected_sent[ports[i]] += len(data)
    for i, data in received:
        expected_received[ports[i]] += len(data)
    opened = [PortOpened(port=port) for port in ports]
    return first, back, (+expected_sent, +expected_received, opened)


@given(traffic(), CUTS, CUTS)
def test_ports_and_bytes_survive_any_chunking(wire, plan, cuts, more):
    first, back, expected = conversation(wire, *plan)
    t = SpdyForwardTap()
    events = wire.feed(t.client, first, cuts) + wire.feed(t.server, back, more)
    assert totals(events) == (
        expected[0],
        expected[1],
        [*expected[2], PortFailed(port=plan[0][0], message="broken")],
    )


def wrapped(wire, data, cuts, *, key=None):
    """`data` in WebSocket messages that are cut anywhere, every second one fragmented."""
    frames = []
    for i, part in enumerate(wire.chunks(data, cuts)):
        if i % 2:
            half = len(part) // 2
            frames.append((wire.ws.frame(part[:half], fin=False, key=key), False))
            frames.append((wire.ws.frame(b"", opcode=9, key=key), False))
            frames.append((wire.ws.frame(part[half:], opcode=0, key=key), True))
        else:
            frames.append((wire.ws.frame(part, key=key), True))
    return frames


@given(traffic(), CUTS, CUTS, CUTS)
def test_the_tunnel_survives_any_framing_and_chunking(wire, plan, messages, cuts, more):
    first, back, expected = conversation(wire, *plan)
    t = TunnelForwardTap()
    up = wrapped(wire, first, messages, key=KEY)
    down = wrapped(wire, back, messages)
    events = wire.feed(t.client, b"".join(data for data, _ in up), cuts)
    events += wire.feed(t.server, b"".join(data for data, _ in down), more)
    assert totals(events)[:2] == expected[:2]
    assert totals(events)[2] == [*expected[2], PortFailed(port=plan[0][0], message="broken")]


@given(traffic(), CUTS, CUTS)
def test_a_tunnel_cut_at_the_prefix_reads_whole_for_the_client(wire, plan, messages, cuts):
    """A reason is put in only where no SPDY frame is under way either; CLOSE fits always."""
    first, back, _ = conversation(wire, *plan)
    t = TunnelForwardTap()
    t.client(wire.ws.frame(first, key=KEY))
    down = b"".join(data for data, _ in wrapped(wire, back, messages))
    sent = b""
    for part in wire.chunks(down, cuts):
        t.server(part)
        prefix = t.safe_prefix()
        if prefix is not None:
            frames = wire.ws.read(sent + part[:prefix] + t.ending(wire.status))
            assert frames[-1] == (8, b"\x03\xe8")
            inner = b"".join(payload for opcode, payload in frames if opcode in (0, 2))
            if t._aligned and not t._inner._gone:
                assert wire.spdy().read(inner)[-1][0] == 7
        sent += part


@given(traffic(), CUTS, CUTS)
def test_prefixes_of_the_tunnel_are_message_boundaries(wire, plan, messages, cuts):
    first, back, _ = conversation(wire, *plan)
    t = TunnelForwardTap()
    up = wrapped(wire, first, messages, key=KEY)
    wire.check_prefixes(t.client, t.client_prefix, up, cuts)
    wire.check_prefixes(t.server, t.safe_prefix, wrapped(wire, back, messages), cuts)


def test_ending_of_a_tunnel(wire, up, down):
    t = TunnelForwardTap()
    t.client(wire.ws.frame(up.port(1, "error", 80), key=KEY))
    t.server(wire.ws.frame(down.reply(1)))
    (opcode, inner), close = wire.ws.read(t.ending(wire.status))
    assert (opcode, close) == (2, (8, b"\x03\xe8"))
    assert down.read(inner) == [("data", 1, 1, b"locked"), (7, 1, 0, bytes(4))]
    t.server(wire.ws.frame(down.data(1, b"half")[:6]))
    assert t.ending(wire.status) == b"\x88\x02\x03\xe8"
    t.server(b"\x88\x00")
    assert t.ending(wire.status) == b""
    assert t.interrupt() == b""
    assert t.finish() == []


def test_text_in_a_tunnel_is_refused(wire):
    with pytest.raises(TapError, match="text"):
        TunnelForwardTap().client(wire.ws.frame(b"x", opcode=1, key=KEY))


@given(st.binary(max_size=150), st.booleans(), st.booleans(), CUTS)
def test_noise_is_followed_or_refused_but_never_crashes(wire, noise, tunnelled, from_client, cuts):
    t = TunnelForwardTap() if tunnelled else SpdyForwardTap()
    with contextlib.suppress(TapError):
        wire.feed(t.client if from_client else t.server, noise, cuts)
    t.finish()
