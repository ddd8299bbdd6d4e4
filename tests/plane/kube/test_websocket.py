import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube.tap import TapError
from plane.kube.websocket import (
    CLOSE_NORMAL,
    MAX_FRAME_BYTES,
    TEXT,
    FrameReader,
    frame,
    unmask,
)

KEY = bytes.fromhex("37fa213d")
CUTS = st.lists(st.integers(0, 100_000), max_size=12)
SIZES = st.sampled_from([0, 1, 2, 124, 125, 126, 127, 1023, 1024, 1025, 65535, 65536, 70000])


def read(reader, wire, data, cuts=()):
    """Messages as (payload, complete)."""
    messages = []
    for part in wire.chunks(data, cuts):
        for payload, start, end in reader.feed(part):
            if start:
                messages.append([b"", False])
            messages[-1][0] += payload
            messages[-1][1] = end
    return [tuple(message) for message in messages]


@given(st.lists(SIZES, max_size=4), st.booleans(), CUTS)
def test_messages_survive_any_chunking(wire, sizes, masked, cuts):
    key = KEY if masked else None
    payloads = [bytes(i * 7 & 255 for i in range(size)) for size in sizes]
    data = b"".join(wire.ws.frame(payload, key=key) for payload in payloads)
    got = read(FrameReader(masked=masked), wire, data, cuts)
    assert got == [(payload, True) for payload in payloads]


@given(st.lists(st.binary(max_size=300), min_size=2, max_size=5), st.booleans(), CUTS)
def test_fragments_with_control_frames_between_make_one_message(wire, parts, masked, cuts):
    key = KEY if masked else None
    data = wire.ws.frame(parts[0], fin=False, key=key)
    for part in parts[1:-1]:
        data += wire.ws.frame(b"beat", opcode=9, key=key)
        data += wire.ws.frame(part, opcode=0, fin=False, key=key)
    data += wire.ws.frame(b"", opcode=10, key=key) + wire.ws.frame(parts[-1], opcode=0, key=key)
    assert read(FrameReader(masked=masked), wire, data, cuts) == [(b"".join(parts), True)]


@given(st.lists(st.tuples(SIZES, st.booleans()), max_size=6), CUTS)
def test_safe_is_the_last_position_between_messages(wire, plan, cuts):
    frames, opened = [], False
    for size, fin in plan:
        frames.append((wire.ws.frame(bytes(size), opcode=0 if opened else 2, fin=fin), fin))
        opened = not fin
        frames.append((wire.ws.frame(b"p", opcode=9), fin))
    reader = FrameReader(masked=False)
    wire.check_prefixes(reader.feed, lambda: reader.safe, frames, cuts)


def test_nothing_may_be_put_inside_a_fragmented_message(wire):
    reader = FrameReader(masked=False)
    start = wire.ws.frame(b"\1abc", fin=False)
    reader.feed(wire.ws.frame(b"\1x") + start)
    assert reader.safe == 4
    reader.feed(wire.ws.frame(b"", opcode=9))
    assert reader.safe is None
    reader.feed(wire.ws.frame(b"d", opcode=0))
    assert reader.safe == 3


def test_payload_is_passed_on_before_the_frame_is_complete(wire):
    reader = FrameReader(masked=True)
    data = wire.ws.frame(b"\0" + b"password", key=KEY, length=1_000_000)
    assert reader.feed(data) == [(b"\0password", True, False)]
    assert reader.feed(bytes(1000)) == [((KEY * 251)[9 & 3 :][:1000], False, False)]


@given(st.integers(1, 3000), st.binary(min_size=4, max_size=4), CUTS)
def test_an_opaque_channel_is_counted_without_unmasking(wire, size, key, cuts):
    reader = FrameReader(masked=True, opaque=b"\0")
    data = wire.ws.frame(b"\0" + b"s" * size, key=key) + wire.ws.frame(b"\4{}", key=key)
    pieces = [piece for part in wire.chunks(data, cuts) for piece in reader.feed(part)]
    texts = [payload for payload, _, _ in pieces if isinstance(payload, bytes)]
    assert sum(payload for payload, _, _ in pieces if isinstance(payload, int)) == size
    assert b"".join(texts) == b"\0\4{}"


@given(st.integers(0, 4000), st.binary(min_size=4, max_size=4))
def test_unmask_is_the_xor_of_rfc_6455_5_3(size, key):
    data = bytes(i * 31 & 255 for i in range(size))
    assert unmask(data, key) == bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


def test_close_is_seen_when_it_is_whole():
    reader = FrameReader(masked=False)
    reader.feed(CLOSE_NORMAL[:3])
    assert not reader.closed
    reader.feed(CLOSE_NORMAL[3:])
    assert reader.closed


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_our_frames_are_read_by_another_decoder(wire, size):
    assert wire.ws.read(frame(bytes(size), masked=True)) == [(2, bytes(size))]
    assert wire.ws.read(frame(bytes(size), opcode=TEXT)) == [(1, bytes(size))]


def test_close_normal_is_code_1000(wire):
    assert wire.ws.read(CLOSE_NORMAL) == [(8, b"\x03\xe8")]


HOSTILE = {
    "unmasked client frame": (True, {"payload": b"\0x"}, "not masked"),
    "masked server frame": (False, {"payload": b"\1x", "key": KEY}, "is masked"),
    "reserved bit 1, a compressed message": (False, {"payload": b"\1x", "rsv": 4}, "reserved"),
    "reserved bit 2": (False, {"payload": b"\1x", "rsv": 2}, "reserved"),
    "reserved bit 3": (True, {"payload": b"\0x", "rsv": 1, "key": KEY}, "reserved"),
    "reserved bit on a ping": (False, {"opcode": 9, "rsv": 4}, "reserved"),
    "continuation without start": (True, {"payload": b"x", "opcode": 0, "key": KEY}, "continued"),
    "unknown data opcode": (False, {"payload": b"x", "opcode": 3}, "opcode 3"),
    "unknown control opcode": (False, {"payload": b"x", "opcode": 11}, "opcode 11"),
    "fragmented ping": (False, {"opcode": 9, "fin": False}, "control frame"),
    "ping of 126 bytes": (False, {"payload": bytes(126), "opcode": 9}, "control frame"),
    "frame over the limit": (False, {"length": MAX_FRAME_BYTES + 1}, "longer"),
    "huge length": (True, {"length": 2**62, "key": KEY}, "longer"),
    "length with the sign bit, which Go masks off": (False, {"length": 2**63 + 5}, "longer"),
}


@pytest.mark.parametrize("threat", HOSTILE)
def test_hostile_frame_is_refused(wire, threat):
    masked, how, words = HOSTILE[threat]
    with pytest.raises(TapError, match=words):
        FrameReader(masked=masked).feed(wire.ws.frame(**how))


@pytest.mark.parametrize("threat", HOSTILE)
def test_hostile_frame_is_refused_byte_by_byte(wire, threat):
    masked, how, words = HOSTILE[threat]
    reader = FrameReader(masked=masked)
    with pytest.raises(TapError, match=words):
        wire.drip(reader.feed, wire.ws.frame(**how))


def test_new_message_inside_a_fragmented_one_is_refused(wire):
    reader = FrameReader(masked=False)
    reader.feed(wire.ws.frame(b"\1a", fin=False))
    with pytest.raises(TapError, match="continued"):
        reader.feed(wire.ws.frame(b"\1b"))


def test_fragments_are_refused_where_clusters_misread_them(wire):
    """x/net/websocket gives every fragment a channel of its own: resize for us is stdin for it."""
    reader = FrameReader(masked=True, whole=True)
    with pytest.raises(TapError, match="fragmented"):
        reader.feed(wire.ws.frame(b"\4{", fin=False, key=KEY))


def test_text_is_refused_where_only_binary_belongs(wire):
    with pytest.raises(TapError, match="text"):
        FrameReader(masked=False, text=False).feed(wire.ws.frame(b"x", opcode=1))


def test_a_frame_as_long_as_the_limit_is_followed(wire):
    reader = FrameReader(masked=False)
    reader.feed(wire.ws.frame(b"\1", length=MAX_FRAME_BYTES))
    assert reader.safe == 0


@given(st.binary(max_size=200), st.booleans(), CUTS)
def test_noise_is_followed_or_refused_but_never_crashes(wire, data, masked, cuts):
    reader = FrameReader(masked=masked)
    try:
        for part in wire.chunks(data, cuts):
            reader.feed(part)
    except TapError:
        pass
