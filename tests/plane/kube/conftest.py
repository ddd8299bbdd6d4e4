"""A second hand: encoders and decoders of the wires, written apart from the ones under test."""

import base64
import json
import struct
import zlib
from dataclasses import replace
from itertools import pairwise

import pytest

from plane.kube.spdy_dictionary import DICTIONARY
from plane.kube.tap import Input, Output, PortData


class WebSocketWire:
    """RFC 6455 frames as bytes, lawful or not."""

    KEY = bytes.fromhex("37fa213d")

    def frame(self, payload=b"", *, opcode=2, fin=True, key=None, rsv=0, length=None):
        size = len(payload) if length is None else length
        bit = 0x80 if key else 0
        head = bytes([fin << 7 | rsv << 4 | opcode])
        if size < 126:
            head += bytes([bit | size])
        elif size < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", size)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", size)
        if key:
            payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
        return head + (key or b"") + payload

    def server(self, channel, payload=b""):
        return self.frame(bytes([channel]) + payload)

    def client(self, channel, payload=b"", key=KEY):
        return self.frame(bytes([channel]) + payload, key=key)

    def base64(self, channel, payload=b"", key=None):
        text = b"%d" % channel + base64.b64encode(payload)
        return self.frame(text, opcode=1, key=key)

    def read(self, data):
        """All frames of unmasked or zero-masked bytes, as (opcode, payload)."""
        frames = []
        while data:
            opcode, size, pos = data[0] & 15, data[1] & 127, 2
            if size > 125:
                pos = 4 if size == 126 else 10
                size = int.from_bytes(data[2:pos], "big")
            if data[1] & 128:
                assert data[pos : pos + 4] == bytes(4)
                pos += 4
            frames.append((opcode, data[pos : pos + size]))
            assert len(data) >= pos + size
            data = data[pos + size :]
        return frames


class SpdyWire:
    """One direction of a SPDY/3.1 connection as bytes, lawful or not."""

    def __init__(self, level=9):
        self.deflate = zlib.compressobj(level, zdict=DICTIONARY)

    def control(self, kind, body, *, flags=0, version=3, length=None):
        size = len(body) if length is None else length
        return struct.pack(">HHI", 0x8000 | version, kind, flags << 24 | size) + body

    def block(self, headers, *, extra=b"", count=None):
        plain = struct.pack(">I", len(headers) if count is None else count)
        for pair in headers:
            for text in pair:
                plain += struct.pack(">I", len(text)) + text.encode("latin-1")
        return self.deflate.compress(plain + extra) + self.deflate.flush(zlib.Z_SYNC_FLUSH)

    def syn(self, stream, streamtype=None, *, flags=0, more=(), **block):
        headers = [("streamtype", streamtype)] if streamtype is not None else []
        body = struct.pack(">IIBB", stream, 0, 0, 0) + self.block([*headers, *more], **block)
        return self.control(1, body, flags=flags)

    def port(self, stream, streamtype, port, request="0"):
        return self.syn(stream, streamtype, more=[("port", str(port)), ("requestid", request)])

    def reply(self, stream, *, flags=0, more=()):
        return self.control(2, struct.pack(">I", stream) + self.block(list(more)), flags=flags)

    def headers(self, stream, more=(), *, flags=0):
        return self.control(8, struct.pack(">I", stream) + self.block(list(more)), flags=flags)

    def data(self, stream, payload=b"", *, fin=False):
        return struct.pack(">II", stream, fin << 24 | len(payload)) + payload

    def reset(self, stream, status=5):
        return self.control(3, struct.pack(">II", stream, status))

    def ping(self, number=1):
        return self.control(6, struct.pack(">I", number))

    def goaway(self, last=0):
        return self.control(7, struct.pack(">II", last, 0))

    def read(self, data, inflate=None):
        """All frames as (kind or "data", stream, flags, payload or plain header block)."""
        inflate = inflate or zlib.decompressobj(zdict=DICTIONARY)
        frames = []
        while data:
            first, second = struct.unpack(">II", data[:8])
            flags, size = second >> 24, second & 0xFFFFFF
            body, data = data[8 : 8 + size], data[8 + size :]
            assert len(body) == size
            if not first >> 31:
                frames.append(("data", first, flags, body))
                continue
            kind, stream = first & 0xFFFF, struct.unpack(">I", body[:4])[0]
            at = {1: 10, 2: 4, 8: 4}.get(kind)
            frames.append((kind, stream, flags, inflate.decompress(body[at:]) if at else body[4:]))
        return frames


class Wire:
    """What the tests of taps share."""

    ws = WebSocketWire()
    spdy = SpdyWire
    status = json.dumps({"kind": "Status", "status": "Failure", "message": "locked"}).encode()

    def merged(self, events):
        """Join neighbours, so that events can be compared whatever the chunking was."""
        out = []
        for event in events:
            last = out[-1] if out else None
            same = type(last) is type(event)
            if same and isinstance(event, Output) and last.stream == event.stream:
                out[-1] = replace(last, data=last.data + event.data)
            elif same and isinstance(event, Input):
                out[-1] = Input(data=last.data + event.data, size=last.size + event.size)
            elif same and isinstance(event, PortData) and last.port == event.port:
                sent, received = last.sent + event.sent, last.received + event.received
                out[-1] = PortData(port=event.port, sent=sent, received=received)
            else:
                out.append(event)
        return out

    def chunks(self, data, cuts):
        """`data` cut at positions."""
        marks = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
        return [data[a:b] for a, b in pairwise(marks) if b > a]

    def feed(self, side, data, cuts=()):
        """The merged events of all chunks."""
        return self.merged([event for part in self.chunks(data, cuts) for event in side(part)])

    def drip(self, side, data):
        """One byte at a time."""
        for byte in data:
            side(bytes([byte]))

    def check_prefixes(self, side, prefix, frames, cuts):
        """Every chunk's prefix is the last end of a frame in it; `frames` are (bytes, legal)."""
        legal, total = {0}, 0
        for data, is_legal in frames:
            total += len(data)
            legal |= {total} if is_legal else set()
        done = 0
        for part in self.chunks(b"".join(data for data, _ in frames), cuts):
            side(part)
            inside = [at - done for at in legal if done <= at <= done + len(part)]
            assert prefix() == (max(inside) if inside else None)
            done += len(part)


@pytest.fixture(scope="session")
def wire():
    return Wire()
