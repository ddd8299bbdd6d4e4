"""SPDY/3.1 frames of one direction, sans IO, as moby/spdystream speaks them under Kubernetes.

draft-mbelshe-httpbis-spdy-00. Header blocks share one zlib context per direction, so every block
is read, in order. DATA is passed on as it comes; memory is one control frame. Where Go's reader
ignores a frame's own length, any other length is refused: it would see other frames than we do.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from plane.kube.spdy_dictionary import DICTIONARY
from plane.kube.tapevents import TapError

MAX_CONTROL_BYTES = 16 * 1024  # a control frame's body; kubectl's are under 100 bytes
MAX_HEADER_BYTES = 16 * 1024  # a header block after decompression, against zlib bombs
MAX_HEADERS = 32
FIN = 1


class Kind(IntEnum):
    """Types of control frames (section 2.6)."""

    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PING = 6
    GOAWAY = 7
    HEADERS = 8
    WINDOW_UPDATE = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control frame about one stream (0 for those about the connection)."""

    kind: Kind
    stream: int
    fin: bool = False
    headers: Mapping[str, str]


# DATA: (stream, payload, last byte of the stream).
Data = tuple[int, bytes, bool]
Piece = Data | Control

# How many bytes Go reads for these, whatever the frame says; SETTINGS tells its own size.
_FIXED_BYTES = {Kind.RST_STREAM: 8, Kind.PING: 4, Kind.GOAWAY: 8, Kind.WINDOW_UPDATE: 8}
# Where the header block starts.
_BLOCK_AT = {Kind.SYN_STREAM: 10, Kind.SYN_REPLY: 4, Kind.HEADERS: 4}


class FrameReader:
    """Turns bytes in any chunking into DATA pieces and control frames; raises TapError."""

    __slots__ = ("_carry", "_fin", "_inflate", "_left", "_stream", "safe", "said_headers")

    def __init__(self) -> None:
        self._carry = b""  # an unfinished header or control frame
        self._left = 0  # bytes of the current DATA frame still to come
        self._stream = 0
        self._fin = False
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self.said_headers = False  # whether the zlib context has begun
        self.safe: int | None = 0  # in the last chunk: its last position between frames

    def feed(self, data: bytes) -> list[Piece]:
        """Read a chunk; sets `safe`."""
        carried = len(self._carry)
        if carried:
            data = self._carry + data
            self._carry = b""
        self.safe = None if carried or self._left else 0
        pieces: list[Piece] = []
        pos, size = 0, len(data)
        while pos < size:
            if self._left:
                pos = self._rest(pieces, data, pos)
            elif size - pos < 8:
                break
            elif data[pos] < 128:
                pos = self._data(pieces, data, pos)
            else:
                end = self._control(pieces, data, pos)
                if not end:
                    break
                pos = end
            if not self._left:
                self.safe = pos - carried
        self._carry = data[pos:]
        return pieces

    def _data(self, pieces: list[Piece], data: bytes, pos: int) -> int:
        word = int.from_bytes(data[pos : pos + 8], "big")
        stream, fin, length = word >> 32, word >> 24 & FIN == FIN, word & 0xFFFFFF
        if not stream:
            raise TapError("a SPDY DATA frame names no stream")
        pos += 8
        end = pos + length
        if end <= len(data):
            pieces.append((stream, data[pos:end], fin))
            return end
        self._stream, self._fin, self._left = stream, fin, length
        return self._rest(pieces, data, pos) if pos < len(data) else pos

    def _rest(self, pieces: list[Piece], data: bytes, pos: int) -> int:
        payload = data[pos : pos + self._left]
        self._left -= len(payload)
        pieces.append((self._stream, payload, self._fin and not self._left))
        return pos + len(payload)

    def _control(self, pieces: list[Piece], data: bytes, pos: int) -> int:
        """Read the control frame at `pos`; its end, or 0 when more bytes are needed."""
        word = int.from_bytes(data[pos : pos + 8], "big")
        version, number, flags, length = (
            word >> 48 & 0x7FFF,
            word >> 32 & 0xFFFF,
            word >> 24 & 0xFF,
            word & 0xFFFFFF,
        )
        kind = _kind(version, number, length)
        end = pos + 8 + length
        if end > len(data):
            return 0
        body = data[pos + 8 : end]
        if kind is Kind.SETTINGS and length != 4 + 8 * int.from_bytes(body[:4], "big"):
            raise TapError("a SPDY SETTINGS frame lies about its length")
        start = _BLOCK_AT.get(kind)
        headers = self._block(body[start:]) if start else {}
        if kind is Kind.SYN_STREAM and flags & ~FIN:
            raise TapError("a SPDY stream is unidirectional, which Kubernetes never uses")
        if start or kind is Kind.RST_STREAM:
            stream = int.from_bytes(body[:4], "big") & 0x7FFFFFFF
            fin = bool(start and flags & FIN)
            pieces.append(Control(kind=kind, stream=stream, fin=fin, headers=headers))
        elif kind is Kind.GOAWAY:
            pieces.append(Control(kind=kind, stream=0, headers=headers))
        return end

    def _block(self, block: bytes) -> dict[str, str]:
        self.said_headers = True
        inflate = self._inflate
        try:
            plain = inflate.decompress(block, MAX_HEADER_BYTES + 1)
        except zlib.error as error:
            raise TapError("a SPDY header block cannot be decompressed") from error
        if len(plain) > MAX_HEADER_BYTES or inflate.unconsumed_tail:
            raise TapError(f"a SPDY header block is larger than {MAX_HEADER_BYTES} bytes")
        if inflate.eof:
            raise TapError("a SPDY header block ends the compression stream")
        return _headers(plain)


def _kind(version: int, number: int, length: int) -> Kind:
    if version != 3:
        raise TapError(f"a SPDY frame has version {version}")
    try:
        kind = Kind(number)
    except ValueError as error:
        raise TapError(f"a SPDY control frame has the unknown type {number}") from error
    if length > MAX_CONTROL_BYTES:
        raise TapError(f"a SPDY control frame is longer than {MAX_CONTROL_BYTES} bytes")
    if length != _FIXED_BYTES.get(kind, length) or length < _BLOCK_AT.get(kind, 4):
        raise TapError(f"a SPDY {kind.name} frame has a wrong length")
    return kind


def _headers(plain: bytes) -> dict[str, str]:
    """Parse a name/value block (section 2.6.10); left-over bytes are refused.

    Go would take them for the beginning of the next block.
    """
    fields = _fields(plain)
    headers = dict(zip(fields[::2], fields[1::2], strict=True))
    if len(headers) != len(fields) // 2:
        raise TapError("a SPDY header is given twice")
    for name, value in headers.items():
        if not name or name != name.lower() or "\0" in name + value:
            raise TapError("a SPDY header has an upper-case or empty name, or several values")
    return headers


def _fields(plain: bytes) -> list[str]:
    count = int.from_bytes(plain[:4], "big")
    if len(plain) < 4 or count > MAX_HEADERS:
        raise TapError("a SPDY header block is cut off or has too many headers")
    pos, fields = 4, list[str]()
    for _ in range(2 * count):
        end = pos + 4 + int.from_bytes(plain[pos : pos + 4], "big")
        if pos + 4 > len(plain) or end > len(plain):
            raise TapError("a SPDY header block is cut off")
        fields.append(plain[pos + 4 : end].decode("latin-1"))
        pos = end
    if pos != len(plain):
        raise TapError("a SPDY header block has bytes left over")
    return fields


def data_frame(stream: int, payload: bytes, *, fin: bool = False) -> bytes:
    """A DATA frame; stateless, so it may be put between any two frames."""
    return stream.to_bytes(4, "big") + bytes((fin,)) + len(payload).to_bytes(3, "big") + payload


def goaway(last_stream: int) -> bytes:
    """A GOAWAY frame with status OK."""
    return bytes.fromhex("8003000700000008") + last_stream.to_bytes(4, "big") + bytes(4)


def syn_reply(stream: int, *, fresh: bool) -> bytes:
    """A SYN_REPLY without headers that fits any state of the receiver's zlib context.

    Its block is a stored one, which refers to nothing before; `fresh` when no header block has
    passed in this direction yet, so that the zlib header comes first.
    """
    block = b"\x78\x01" if fresh else b""
    block += b"\x00\x04\x00\xfb\xff" + bytes(4)
    return (
        bytes.fromhex("80030002")
        + (4 + len(block)).to_bytes(4, "big")
        + (stream.to_bytes(4, "big") + block)
    )
