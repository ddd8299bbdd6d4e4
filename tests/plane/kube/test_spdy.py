import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube import spdy
from plane.kube.spdy import Control, FrameReader, Kind
from plane.kube.spdy_dictionary import DICTIONARY
from plane.kube.tap import TapError

CUTS = st.lists(st.integers(0, 100_000), max_size=12)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=30)


def read(reader, parts):
    """Pieces with neighbouring DATA of one stream joined."""
    out = []
    for piece in (piece for part in parts for piece in reader.feed(part)):
        last = out[-1] if out else None
        joinable = isinstance(piece, tuple) and isinstance(last, tuple) and not last[2]
        if joinable and last[0] == piece[0]:
            out[-1] = (piece[0], last[1] + piece[1], piece[2])
        else:
            out.append(piece)
    return out


@st.composite
def conversations(draw):
    plan = []
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["syn", "reply", "headers", "data", "reset", "ping", "goaway"]))
        fin = draw(st.booleans())
        headers = draw(st.dictionaries(NAMES, VALUES, max_size=3))
        plan.append(
            (kind, draw(st.integers(1, 2**31 - 1)), fin, headers, draw(st.binary(max_size=80)))
        )
    return plan


@given(conversations(), CUTS)
def test_frames_survive_any_chunking(wire, plan, cuts):
    w, frames, expected = wire.spdy(), [], []
    kinds = {"syn": (w.syn, 1), "reply": (w.reply, 2), "headers": (w.headers, 8)}
    for kind, stream, fin, headers, payload in plan:
        if kind in kinds:
            make, number = kinds[kind]
            frames.append(make(stream, more=list(headers.items()), flags=int(fin)))
            expected.append(Control(kind=Kind(number), stream=stream, fin=fin, headers=headers))
        elif kind == "data":
            frames.append(w.data(stream, payload, fin=True))
            expected.append((stream, payload, True))
        elif kind == "reset":
            frames.append(w.reset(stream))
            expected.append(Control(kind=Kind.RST_STREAM, stream=stream, headers={}))
        elif kind == "goaway":
            frames.append(w.goaway(stream))
            expected.append(Control(kind=Kind.GOAWAY, stream=0, headers={}))
        else:
            frames.append(w.ping(stream))
    assert read(FrameReader(), wire.chunks(b"".join(frames), cuts)) == expected
    reader = FrameReader()
    wire.check_prefixes(reader.feed, lambda: reader.safe, [(f, True) for f in frames], cuts)


def test_payload_is_passed_on_before_the_frame_is_complete(wire):
    data = struct.pack(">II", 5, 1 << 24 | 0xFFFFFF) + b"password"
    reader = FrameReader()
    assert reader.feed(data) == [(5, b"password", False)]
    assert reader.feed(b"more") == [(5, b"more", False)]
    assert reader.safe is None


def test_settings_and_window_updates_pass_without_a_word(wire):
    w, reader = wire.spdy(), FrameReader()
    settings = w.control(4, struct.pack(">III", 1, 4, 100))
    assert reader.feed(settings + w.control(9, bytes(8))) == []
    assert reader.safe == 20 + 16


def test_every_block_is_read_with_one_context_per_direction(wire):
    w, reader = wire.spdy(), FrameReader()
    long = "x" * 300
    first, second = w.syn(1, long), w.syn(3, long)
    assert len(second) < len(first)  # it refers to the first
    pieces = reader.feed(first + second)
    assert [piece.headers["streamtype"] for piece in pieces] == [long, long]


def body(*, size=0, stream=1):
    return struct.pack(">I", stream) + bytes(size)


HOSTILE = {
    "version 2": lambda w: w.control(6, bytes(4), version=2),
    "unknown type": lambda w: w.control(10, bytes(8)),
    "noop, gone in version 3": lambda w: w.control(5, b""),
    "control frame over the limit": lambda w: w.control(1, b"", length=spdy.MAX_CONTROL_BYTES + 1),
    "huge length": lambda w: w.control(8, b"", length=0xFFFFFF),
    "SYN_STREAM shorter than its fields": lambda w: w.control(1, bytes(9)),
    "SYN_REPLY shorter than its stream": lambda w: w.control(2, bytes(3)),
    "RST with a hidden frame behind it": lambda w: w.control(3, body(size=4) + w.ping()),
    "RST cut short": lambda w: w.control(3, body()),
    "PING with a hidden frame behind it": lambda w: w.control(6, body() + w.ping()),
    "GOAWAY with a wrong length": lambda w: w.control(7, bytes(12)),
    "WINDOW_UPDATE with a wrong length": lambda w: w.control(9, bytes(4)),
    "SETTINGS that lie about their number": lambda w: w.control(4, struct.pack(">I", 9) + bytes(8)),
    "DATA without a stream": lambda w: w.data(0, b"x"),
    "unidirectional stream": lambda w: w.syn(1, "stdin", flags=2),
    "not zlib": lambda w: w.control(1, bytes(10) + b"\xff" * 20),
    "zlib with a foreign dictionary": lambda w: w.control(1, bytes(10) + foreign(b"\0" * 4)),
    "empty block": lambda w: w.control(1, body(size=6)),
    "truncated zlib": lambda w: w.control(1, bytes(10) + w.block([("streamtype", "stdin")])[:-12]),
    "zlib stream that ends": lambda w: w.control(2, body() + finished(bytes(4))),
    "zlib bomb": lambda w: w.syn(1, "x" * 1_000_000),
    "zlib bomb just over the limit": lambda w: w.syn(1, "x" * spdy.MAX_HEADER_BYTES),
    "too many headers": lambda w: w.syn(
        1, more=[(f"h{i}", "") for i in range(spdy.MAX_HEADERS + 1)]
    ),
    "header count that lies upward": lambda w: w.syn(1, "stdin", count=2),
    "header count of four billion": lambda w: w.syn(1, "stdin", count=0xFFFFFFFF),
    "headers left over for the next block": lambda w: w.syn(1, "stdin", count=0),
    "bytes left over for the next block": lambda w: w.syn(1, "stdin", extra=b"\0"),
    "header length beyond the block": lambda w: w.syn(1, extra=b"\x7f\xff\xff\xff", count=1),
    "header length cut off": lambda w: w.syn(1, extra=b"\0\0", count=1),
    "duplicate header": lambda w: w.syn(1, "stdin", more=[("streamtype", "error")]),
    "upper-case duplicate header": lambda w: w.syn(1, "stdin", more=[("Streamtype", "error")]),
    "two values in one header": lambda w: w.syn(1, "stdin\0error"),
    "NUL in a name": lambda w: w.syn(1, more=[("stream\0type", "stdin")]),
    "empty name": lambda w: w.syn(1, more=[("", "stdin")]),
}


def foreign(plain):
    deflate = zlib.compressobj(zdict=b"another dictionary")
    return deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)


def finished(plain):
    deflate = zlib.compressobj(zdict=DICTIONARY)
    return deflate.compress(plain) + deflate.flush()


@pytest.mark.parametrize("threat", HOSTILE)
def test_hostile_frame_is_refused(wire, threat):
    with pytest.raises(TapError):
        FrameReader().feed(HOSTILE[threat](wire.spdy()))


@pytest.mark.parametrize("threat", HOSTILE)
def test_hostile_frame_is_refused_byte_by_byte(wire, threat):
    reader = FrameReader()
    with pytest.raises(TapError):
        wire.drip(reader.feed, HOSTILE[threat](wire.spdy()))


def test_zlib_bomb_costs_no_memory(wire):
    """A megabyte of zeros is about 1 kB on the wire; no more than the limit is unpacked."""
    unpacked = []

    class Watched:
        def __init__(self, inflate):
            self._inflate = inflate
            self.unconsumed_tail = b""

        def decompress(self, block, limit):
            unpacked.append(len(self._inflate.decompress(block, limit)))
            self.unconsumed_tail = self._inflate.unconsumed_tail
            return bytes(unpacked[-1])

    reader = FrameReader()
    reader._inflate = Watched(reader._inflate)
    bomb = wire.spdy().syn(1, "\0" * 1_000_000)
    assert len(bomb) < 2000
    with pytest.raises(TapError, match="larger"):
        reader.feed(bomb)
    assert unpacked == [spdy.MAX_HEADER_BYTES + 1]


@given(st.binary(max_size=120), CUTS)
def test_noise_is_followed_or_refused_but_never_crashes(wire, data, cuts):
    reader = FrameReader()
    try:
        for part in wire.chunks(data, cuts):
            reader.feed(part)
    except TapError:
        pass


def test_our_data_and_goaway_are_read_by_another_decoder(wire):
    data = spdy.data_frame(3, b"hello") + spdy.data_frame(1, b"", fin=True) + spdy.goaway(7)
    assert wire.spdy().read(data) == [
        ("data", 3, 0, b"hello"),
        ("data", 1, 1, b""),
        (7, 7, 0, bytes(4)),
    ]


@pytest.mark.parametrize("before", [0, 1, 5])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_our_syn_reply_fits_any_state_of_the_zlib_context(wire, before, level):
    w, inflate = wire.spdy(level), zlib.decompressobj(zdict=DICTIONARY)
    for stream in range(1, 1 + before):
        w.read(w.reply(stream, more=[("a", "b" * stream)]), inflate)
    ours = spdy.syn_reply(9, fresh=before == 0)
    assert w.read(ours, inflate) == [(2, 9, 0, bytes(4))]
