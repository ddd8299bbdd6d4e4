"""port-forward over SPDY, bare or tunnelled in WebSocket: ports are learned from the streams.

Every forwarded connection is a pair of streams, streamtype error and data, whose headers name the
port (k8s.io/kubelet/pkg/cri/streaming/portforward). The payload is counted, not kept.
"""

from dataclasses import dataclass, field

from plane.kube import spdy, websocket
from plane.kube.remotecommand import message_of
from plane.kube.spdy import Control, Kind
from plane.kube.tapevents import PortData, PortFailed, PortOpened, TapError, TapEvent

MAX_OPEN_STREAMS = 4096
MAX_MESSAGE_BYTES = 4 * 1024  # of an error's text


class PortLedger:
    """Adds up bytes per port within one call, in front of the next event."""

    __slots__ = ("_events", "_sums")

    def __init__(self) -> None:
        self._events: list[TapEvent] = []
        self._sums: dict[int, list[int]] = {}

    def count(self, port: int, *, sent: int = 0, received: int = 0) -> None:
        """Bytes that a port's connection carried."""
        sums = self._sums.setdefault(port, [0, 0])
        sums[0] += sent
        sums[1] += received

    def add(self, event: TapEvent) -> None:
        """Something else that happened."""
        self._settle()
        self._events.append(event)

    def take(self) -> list[TapEvent]:
        """The events since the last call."""
        self._settle()
        events, self._events = self._events, []
        return events

    def _settle(self) -> None:
        for port, (sent, received) in self._sums.items():
            if sent or received:
                self._events.append(PortData(port=port, sent=sent, received=received))
        self._sums.clear()


@dataclass(slots=True, kw_only=True)
class _Stream:
    port: int
    role: str
    request: str
    replied: bool = False
    text: bytearray = field(default_factory=bytearray)


class SpdyForwardTap:
    """Follows port-forward over SPDY; a plane.kube.tapevents.Tap."""

    def __init__(self) -> None:
        self._client = spdy.FrameReader()
        self._server = spdy.FrameReader()
        self._streams: dict[int, _Stream] = {}
        self._pairs: set[tuple[str, str]] = set()
        self._last = 0
        self._gone = False
        self._ledger = PortLedger()

    def client(self, data: bytes) -> list[TapEvent]:
        """Learn the ports; count what is sent."""
        for piece in self._client.feed(data):
            if not isinstance(piece, Control):
                stream = self._known(piece[0])
                if stream and stream.role == "data":
                    self._ledger.count(stream.port, sent=len(piece[1]))
            elif piece.kind is Kind.SYN_STREAM:
                self._open(piece)
            elif piece.kind is Kind.RST_STREAM:
                self._close(piece.stream)
        return self._ledger.take()

    def server(self, data: bytes) -> list[TapEvent]:
        """Count what is received; read the error streams."""
        for piece in self._server.feed(data):
            if isinstance(piece, Control):
                self._server_control(piece)
                continue
            number, payload, fin = piece
            stream = self._known(number)
            if stream is None:
                continue
            if stream.role == "data":
                self._ledger.count(stream.port, received=len(payload))
            else:
                stream.text += payload[: MAX_MESSAGE_BYTES - len(stream.text)]
            if fin:
                self._close(number)
        return self._ledger.take()

    def finish(self) -> list[TapEvent]:
        """Tell errors whose stream was never closed."""
        for number in list(self._streams):
            self._close(number)
        return self._ledger.take()

    def safe_prefix(self) -> int | None:
        """See Tap."""
        return self._server.safe

    def client_prefix(self) -> int | None:
        """See Tap."""
        return self._client.safe

    def ending(self, status: bytes) -> bytes:
        """The reason as text on the open connections' error streams, FIN on all, then GOAWAY.

        kubectl reads an error stream once the data stream has ended, and prints it if the
        connection stays up for a moment. There is no channel for the session as a whole: with no
        connection open kubectl only says that it lost the pod.
        """
        if self._gone:
            return b""
        said = message_of(status)
        told = b"".join(
            spdy.data_frame(number, said if stream.role == "error" else b"", fin=True)
            for number, stream in self._streams.items()
            if stream.replied
        )
        return told + spdy.goaway(self._last)

    def interrupt(self) -> bytes:
        """Nothing: there is no stdin."""
        return b""

    def _open(self, frame: Control) -> None:
        if not frame.stream & 1 or frame.stream <= self._last:
            raise TapError(f"the client opens stream {frame.stream} out of order")
        if len(self._streams) >= MAX_OPEN_STREAMS:
            raise TapError(f"more than {MAX_OPEN_STREAMS} forwarded streams are open")
        self._last = frame.stream
        role = frame.headers.get("streamtype", "")
        if role not in ("error", "data"):
            raise TapError(f"a stream has the unknown type {role[:40]!r}")
        port = port_number(frame.headers.get("port", ""))
        request = frame.headers.get("requestid", "")
        if request:
            if (request, role) in self._pairs:
                raise TapError(f"a second {role} stream is opened for one connection")
            self._pairs.add((request, role))
        self._streams[frame.stream] = _Stream(port=port, role=role, request=request)
        if role == "data":
            self._ledger.add(PortOpened(port=port))

    def _server_control(self, frame: Control) -> None:
        if frame.kind is Kind.SYN_STREAM:
            raise TapError("the cluster opens a stream")
        if frame.kind is Kind.GOAWAY:
            self._gone = True
            return
        stream = self._known(frame.stream)
        if stream and frame.kind is Kind.SYN_REPLY:
            stream.replied = True
        if frame.fin or frame.kind is Kind.RST_STREAM:
            self._close(frame.stream)

    def _close(self, number: int) -> None:
        """Forget a stream: the cluster's FIN and any RST are the end of its connection."""
        stream = self._streams.pop(number, None)
        if stream is None:
            return
        self._pairs.discard((stream.request, stream.role))
        if stream.text:
            message = stream.text.decode("utf-8", "replace")
            self._ledger.add(PortFailed(port=stream.port, message=message))

    def _known(self, number: int) -> _Stream | None:
        """The stream, or None when it is over: late bytes are dropped by their receiver too."""
        if number > self._last:
            raise TapError(f"a frame belongs to stream {number}, which was never opened")
        return self._streams.get(number)


class TunnelForwardTap:
    """Follows `SPDY/3.1+portforward.k8s.io`: the WebSocket's binary messages are a SPDY stream.

    Messages and SPDY frames are not aligned, and the server fragments most messages.
    """

    def __init__(self) -> None:
        self._client = websocket.FrameReader(masked=True, text=False)
        self._server = websocket.FrameReader(masked=False, text=False)
        self._inner = SpdyForwardTap()
        self._aligned = True  # at `safe` the SPDY stream is between frames too

    def client(self, data: bytes) -> list[TapEvent]:
        """Feed the tunnelled bytes on."""
        return self._inner.client(_joined(self._client.feed(data)))

    def server(self, data: bytes) -> list[TapEvent]:
        """Feed the tunnelled bytes on, and see whether both framings have a common boundary."""
        pieces = self._server.feed(data)
        settled = self._server.settled
        inner = self._inner
        first = _joined(pieces[:settled])
        events = inner.server(first)
        if self._server.safe is not None:
            self._aligned = inner.safe_prefix() == len(first)
        return events + inner.server(_joined(pieces[settled:]))

    def finish(self) -> list[TapEvent]:
        """See Tap."""
        return self._inner.finish()

    def safe_prefix(self) -> int | None:
        """A boundary of WebSocket messages."""
        return self._server.safe

    def client_prefix(self) -> int | None:
        """See Tap."""
        return self._client.safe

    def ending(self, status: bytes) -> bytes:
        """The SPDY tap's ending as one message where that fits, then CLOSE 1000."""
        if self._server.closed:
            return b""
        told = self._inner.ending(status) if self._aligned else b""
        return (websocket.frame(told) if told else b"") + websocket.CLOSE_NORMAL

    def interrupt(self) -> bytes:
        """Nothing: there is no stdin."""
        return b""


def _joined(pieces: list[websocket.Piece]) -> bytes:
    return b"".join(piece[0] for piece in pieces if isinstance(piece[0], bytes))


def port_number(text: str) -> int:
    """A port as Go's ParseUint reads it; TapError when it is none."""
    if text.isascii() and text.isdigit() and len(text) <= 40 and 1 <= int(text) <= 65535:
        return int(text)
    raise TapError(f"{text[:40]!r} is no port")
