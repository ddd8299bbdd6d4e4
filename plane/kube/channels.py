"""exec and attach over WebSocket: each message begins with its channel's number.

v5, v4 and un-numbered `channel.k8s.io`, and the base64 ones, where the channel is an ASCII digit.
k8s.io/apimachinery/pkg/util/httpstream/wsstream; v5 adds CLOSE (KEP-4006).
"""

import binascii
from dataclasses import dataclass
from typing import Final

from plane.kube import websocket
from plane.kube.remotecommand import Journal, message_of
from plane.kube.tapevents import OutputStream, TapError, TapEvent

STDIN, STDOUT, STDERR, ERROR, RESIZE, HALF_CLOSE = 0, 1, 2, 3, 4, 255
_OUTPUT: Final[dict[int, OutputStream]] = {STDOUT: "stdout", STDERR: "stderr"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelProtocol:
    """What the versions differ in."""

    base64: bool = False
    json_status: bool = True
    half_close: bool = False

    def encode(self, channel: int, payload: bytes, *, masked: bool = False) -> bytes:
        """One message on a channel, as a frame."""
        if not self.base64:
            return websocket.frame(bytes((channel,)) + payload, masked=masked)
        text = bytes((channel + 48,)) + binascii.b2a_base64(payload, newline=False)
        return websocket.frame(text, opcode=websocket.TEXT, masked=masked)


PROTOCOLS: Final = {
    "v5.channel.k8s.io": ChannelProtocol(half_close=True),
    "v4.channel.k8s.io": ChannelProtocol(),
    "channel.k8s.io": ChannelProtocol(json_status=False),
    "v4.base64.channel.k8s.io": ChannelProtocol(base64=True),
    "base64.channel.k8s.io": ChannelProtocol(base64=True, json_status=False),
}


class Messages:
    """Splits the messages of one direction into (channel, bytes, message ends)."""

    __slots__ = ("_base64", "_carry", "_channel", "frames")

    def __init__(self, frames: websocket.FrameReader, *, base64: bool) -> None:
        self.frames = frames
        self._base64 = base64
        self._channel = -1  # not known yet: an empty message has none
        self._carry = b""  # base64 digits short of a group of four

    def feed(self, data: bytes) -> list[tuple[int, bytes, int, bool]]:
        """Pieces as (channel, payload, payload size, end); channel is -1 for an empty message.

        The payload is left out, not its size, where the frame reader was told so.
        """
        out: list[tuple[int, bytes, int, bool]] = []
        for payload, start, end in self.frames.feed(data):
            if isinstance(payload, int):
                out.append((self._channel, b"", payload, end))
                continue
            if start:
                self._channel = -1
            if self._channel < 0 and payload:
                self._channel = payload[0]
                payload = payload[1:]  # noqa: PLW2901 - what is left is the payload
                if self._base64:
                    self._channel = (self._channel - 48) & 255
            if self._base64:
                payload = self._decode(payload, end=end)  # noqa: PLW2901 - decoded
            out.append((self._channel, payload, len(payload), end))
        return out

    def _decode(self, digits: bytes, *, end: bool) -> bytes:
        digits = self._carry + digits
        # The last group waits: only at the message's end may it hold padding.
        usable = len(digits) if end else (len(digits) - 1) // 4 * 4
        self._carry = digits[usable:]
        if not end and b"=" in digits[:usable]:
            raise TapError("a base64 channel message has padding inside")
        try:
            return binascii.a2b_base64(digits[:usable], strict_mode=True)
        except binascii.Error as error:
            raise TapError("a base64 channel message is not base64") from error


class ChannelTap:
    """Follows exec or attach over WebSocket channels; a plane.kube.tapevents.Tap."""

    def __init__(
        self, protocol: ChannelProtocol, *, stdin: bool, tty: bool, input_data: bool = True
    ) -> None:
        self._protocol = protocol
        self._tty = tty
        self._stdin = stdin
        opaque = b"" if input_data or protocol.base64 else bytes((STDIN,))
        self._client = Messages(
            websocket.FrameReader(masked=True, whole=True, opaque=opaque), base64=protocol.base64
        )
        self._server = Messages(websocket.FrameReader(masked=False), base64=protocol.base64)
        self._journal = Journal(json_status=protocol.json_status)

    def client(self, data: bytes) -> list[TapEvent]:
        """Read stdin and resizes."""
        journal = self._journal
        for channel, payload, size, end in self._client.feed(data):
            if channel == STDIN:
                journal.input(payload, size)
            elif channel == RESIZE:
                journal.resize(payload)
            elif channel == HALF_CLOSE:
                self._half_close(payload, end=end)
            elif size:
                raise TapError(f"the client writes to channel {channel}, which is not its own")
        return journal.take()

    def server(self, data: bytes) -> list[TapEvent]:
        """Read output and the final Status."""
        journal = self._journal
        for channel, payload, size, end in self._server.feed(data):
            stream = _OUTPUT.get(channel)
            if stream:
                journal.output(stream, payload)
            elif channel == ERROR:
                journal.error(payload)
                # With neither stdout nor stderr the cluster greets by an empty message here.
                if end and journal.error_pending():
                    journal.error_end()
            elif size or channel >= 0:
                raise TapError(f"the cluster writes to channel {channel}, which is not its own")
        if self._server.frames.closed and not self._protocol.json_status:
            journal.error_end()
        return journal.take()

    def finish(self) -> list[TapEvent]:
        """Tell a Status that was cut off."""
        if self._journal.error_pending():
            self._journal.error_end()
        return self._journal.take()

    def safe_prefix(self) -> int | None:
        """See Tap."""
        return self._server.frames.safe

    def client_prefix(self) -> int | None:
        """See Tap."""
        return self._client.frames.safe

    def ending(self, status: bytes) -> bytes:
        """The Status on the error channel, then CLOSE 1000."""
        if self._server.frames.closed:
            return b""
        if self._journal.ended:
            return websocket.CLOSE_NORMAL
        said = status if self._protocol.json_status else message_of(status)
        return self._protocol.encode(ERROR, said) + websocket.CLOSE_NORMAL

    def interrupt(self) -> bytes:
        """^C ^D to a terminal; where stdin is a pipe, its end if the protocol can say that."""
        if not self._stdin or self._client.frames.closed:
            return b""
        if self._tty:
            return self._protocol.encode(STDIN, b"\x03\x04", masked=True)
        if self._protocol.half_close:
            return websocket.frame(bytes((HALF_CLOSE, STDIN)), masked=True)
        return b""

    def _half_close(self, payload: bytes, *, end: bool) -> None:
        if not self._protocol.half_close:
            return  # before v5 the cluster ignores channel 255
        if len(payload) > 1 or (payload and payload[0] > RESIZE) or (end and not payload):
            raise TapError("the client half-closes a channel that does not exist")
        self._stdin = self._stdin and payload != bytes((STDIN,))
