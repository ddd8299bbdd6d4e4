"""RFC 6455 frames of one direction, sans IO: payloads come out as they come in.

A message is never held back: memory is a header at most. Whatever could be read in two ways is a
TapError, because then the tap would follow one reading and the cluster the other.
"""

from functools import cache

from plane.kube.tapevents import TapError

MAX_FRAME_BYTES = 32 * 1024 * 1024  # x/net/websocket, the kubelet's library, takes no more
MAX_CONTROL_BYTES = 125  # RFC 6455 section 5.5

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

# (payload, starts a message, ends it); an int counts payload bytes that were left masked.
Piece = tuple[bytes | int, bool, bool]

_FINAL_TEXT, _FINAL_BINARY = 0x81, 0x82
_LANES_FROM = 1024  # bytes; below this one big integer is faster than four strided copies


class FrameReader:
    """Turns bytes in any chunking into pieces of messages; control frames are read and dropped.

    `masked` says which side speaks. `opaque` are first payload bytes (channels) of messages that
    need no unmasking: their pieces are the first byte, then a count. `whole` refuses fragments.
    """

    __slots__ = (
        "_carry",
        "_control",
        "_final",
        "_key",
        "_left",
        "_masked",
        "_opaque",
        "_open",
        "_start",
        "_text",
        "_veiled",
        "_whole",
        "closed",
        "safe",
        "settled",
    )

    def __init__(
        self, *, masked: bool, opaque: bytes = b"", whole: bool = False, text: bool = True
    ) -> None:
        self._masked = masked
        self._opaque = opaque
        self._whole = whole
        self._text = text
        self._carry = b""  # an unfinished frame header
        self._left: int | None = None  # payload bytes still to come; None between frames
        self._key = b""
        self._open = False  # inside a fragmented message
        self._start = self._final = self._veiled = False
        self._control = 0  # the opcode while inside a control frame
        self.closed = False  # a CLOSE frame has passed
        self.safe: int | None = 0  # in the last chunk: its last position between messages
        self.settled = 0  # how many of the last pieces lie before `safe`

    def feed(self, data: bytes) -> list[Piece]:
        """Read a chunk; raises TapError. Sets `safe`, `settled` and `closed`."""
        carried = len(self._carry)
        if carried:
            data = self._carry + data
            self._carry = b""
        self.safe = 0 if not (carried or self._open or self._left is not None) else None
        self.settled = 0
        pieces: list[Piece] = []
        pos, size = 0, len(data)
        # One loop instead of small methods: calls would double the cost of a 41-byte frame.
        while pos < size or self._left == 0:
            left = self._left
            if left is None:
                head = self._header(data, pos)
                if not head:
                    self._carry = data[pos:]
                    break
                pos = head
                left = self._left
                assert left is not None  # _header() has set it
            end = pos + left
            if end > size:
                if size > pos:
                    self._payload(pieces, data[pos:size], False)
                    self._left = end - size
                break
            self._payload(pieces, data[pos:end], True)
            pos = end
            self._left = None
            if not self._open:
                self.safe = pos - carried
                self.settled = len(pieces)
        return pieces

    def _header(self, data: bytes, pos: int) -> int:
        """Read the header at `pos`; where its payload starts, or 0 when more bytes are needed."""
        size = len(data)
        if size - pos < 2:
            return 0
        first, second = data[pos], data[pos + 1]
        length, head = second & 127, pos + 2
        if length > 125:
            head += 2 if length == 126 else 8
            if size < head:
                return 0
            length = int.from_bytes(data[pos + 2 : head], "big")
        if (second > 127) is not self._masked:
            raise TapError(
                "a client frame is not masked" if self._masked else "a server frame is masked"
            )
        if self._masked:
            if size < head + 4:
                return 0
            self._key = data[head : head + 4]
            head += 4
        if first == _FINAL_BINARY and not self._open and length <= MAX_FRAME_BYTES:
            self._start = self._final = True
            self._control = 0
        else:
            self._admit(first, length)
        self._left = length
        self._veiled = False
        return head

    def _admit(self, first: int, length: int) -> None:
        """Judge what is not simply a whole binary message (RFC 6455 sections 5.2 to 5.5)."""
        opcode, final = first & 0x0F, first > 127
        if first & 0x70:
            raise TapError("a WebSocket frame has reserved bits set (an extension)")
        if opcode in (CLOSE, PING, PONG):
            if not final or length > MAX_CONTROL_BYTES:
                raise TapError("a WebSocket control frame is fragmented or too long")
            self._control = opcode
            return
        if opcode not in (CONTINUATION, TEXT, BINARY):
            raise TapError(f"a WebSocket frame has the unknown opcode {opcode}")
        if length > MAX_FRAME_BYTES:
            raise TapError(f"a WebSocket frame is longer than {MAX_FRAME_BYTES} bytes")
        if (opcode == CONTINUATION) is not self._open:
            raise TapError("a WebSocket message is continued wrongly")
        if opcode == TEXT and not self._text:
            raise TapError("a WebSocket text message where only binary ones belong")
        if self._whole and not final:
            # x/net/websocket takes every fragment for a message with a channel byte of its own.
            raise TapError("a client's channel message is fragmented; clusters misread that")
        self._control = 0
        self._start = not self._open
        self._open = not final
        self._final = final

    def _payload(self, pieces: list[Piece], data: bytes, done: bool) -> None:  # noqa: FBT001 - hot
        if self._control:
            self.closed = self.closed or (done and self._control == CLOSE)
            return
        start, self._start = self._start, False
        end = done and self._final
        if not self._masked:
            pieces.append((data, start, end))
        elif self._veiled:
            pieces.append((len(data), False, end))
        elif start and data and data[0] ^ self._key[0] in self._opaque:
            self._veiled = True
            pieces.append((bytes((data[0] ^ self._key[0],)), True, False))
            pieces.append((len(data) - 1, False, end))
        else:
            pieces.append((unmask(data, self._key), start, end))
            turn = len(data) & 3
            self._key = self._key[turn:] + self._key[:turn]


def frame(payload: bytes, *, opcode: int = BINARY, masked: bool = False) -> bytes:
    """One final frame; `masked` gives it the zero mask, for the client's side."""
    bit = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, bit | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, bit | 127)) + size.to_bytes(8, "big")
    return head + (b"\0\0\0\0" if masked else b"") + payload


# Any other code than 1000 makes kubectl print the code instead of the Status (measured).
CLOSE_NORMAL = frame((1000).to_bytes(2, "big"), opcode=CLOSE)


def unmask(data: bytes, key: bytes) -> bytes:
    """XOR with the repeated 4-byte key (RFC 6455 section 5.3), without a loop over bytes."""
    size = len(data)
    if size < _LANES_FROM:
        stretched = (key * ((size + 3) >> 2))[:size]
        number = int.from_bytes(data, "little") ^ int.from_bytes(stretched, "little")
        return number.to_bytes(size, "little")
    out = bytearray(size)
    for lane in range(4):
        out[lane::4] = data[lane::4].translate(_xor_table(key[lane]))
    return bytes(out)


@cache
def _xor_table(value: int) -> bytes:
    return bytes(byte ^ value for byte in range(256))
