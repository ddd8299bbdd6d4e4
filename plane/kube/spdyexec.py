"""exec and attach over SPDY/3.1: the client opens one stream per `streamtype`.

k8s.io/kubelet/pkg/cri/streaming/remotecommand. Before protocol v4 the error stream holds text.
"""

from dataclasses import dataclass
from typing import Final

from plane.kube import spdy
from plane.kube.remotecommand import Journal, message_of
from plane.kube.spdy import Control, Kind
from plane.kube.tapevents import OutputStream, TapError, TapEvent

# Versions of the stream protocol, and whether the error stream holds a v1.Status in JSON.
PROTOCOLS: Final = {
    "v4.channel.k8s.io": True,
    "v3.channel.k8s.io": False,
    "v2.channel.k8s.io": False,
    "channel.k8s.io": False,
}
_OUTPUT: Final[dict[str, OutputStream]] = {"stdout": "stdout", "stderr": "stderr"}
_ROLES = frozenset({"error", "stdin", "stdout", "stderr", "resize"})


@dataclass(slots=True, kw_only=True)
class _Stream:
    role: str
    id: int
    replied: bool = False
    client_done: bool = False
    server_done: bool = False


class SpdyExecTap:
    """Follows exec or attach over SPDY; a plane.kube.tapevents.Tap."""

    def __init__(self, *, json_status: bool, tty: bool) -> None:
        self._json = json_status
        self._tty = tty
        self._client = spdy.FrameReader()
        self._server = spdy.FrameReader()
        self._streams: dict[int, _Stream] = {}  # at most one per role
        self._journal = Journal(json_status=json_status)
        self._gone = False

    def client(self, data: bytes) -> list[TapEvent]:
        """Learn the streams; read stdin and resizes."""
        journal = self._journal
        for piece in self._client.feed(data):
            if isinstance(piece, Control):
                self._client_control(piece)
                continue
            number, payload, fin = piece
            stream = self._known(number)
            if stream.role == "stdin":
                journal.input(payload, len(payload))
            elif stream.role == "resize":
                journal.resize(payload)
            elif payload:
                raise TapError(f"the client writes to its {stream.role} stream")
            stream.client_done = stream.client_done or fin
        return journal.take()

    def server(self, data: bytes) -> list[TapEvent]:
        """Read output and the error stream."""
        journal = self._journal
        for piece in self._server.feed(data):
            if isinstance(piece, Control):
                self._server_control(piece)
                continue
            number, payload, fin = piece
            stream = self._known(number)
            output = _OUTPUT.get(stream.role)
            if output:
                journal.output(output, payload)
            elif stream.role == "error":
                journal.error(payload)
            elif payload:
                raise TapError(f"the cluster writes to the {stream.role} stream")
            if fin:
                self._server_done(stream)
        return journal.take()

    def finish(self) -> list[TapEvent]:
        """Tell a Status whose stream was never closed."""
        if self._journal.error_pending():
            self._journal.error_end()
        return self._journal.take()

    def safe_prefix(self) -> int | None:
        """See Tap."""
        return self._server.safe

    def client_prefix(self) -> int | None:
        """See Tap."""
        return self._client.safe

    def ending(self, status: bytes) -> bytes:
        """The Status and FIN on the error stream, FIN on the outputs, so that nothing is awaited.

        Before the client has opened its error stream there is only GOAWAY to be said.
        """
        if self._gone:
            return b""
        error = self._role("error")
        if error is None or error.server_done:
            return spdy.goaway(max(self._streams, default=0))
        said = status if self._json else message_of(status)
        # spdystream drops DATA of a stream that has no SYN_REPLY yet.
        fresh = not self._server.said_headers
        reply = b"" if error.replied else spdy.syn_reply(error.id, fresh=fresh)
        outputs = (self._role("stdout"), self._role("stderr"))
        return (
            reply
            + spdy.data_frame(error.id, said, fin=True)
            + b"".join(
                spdy.data_frame(stream.id, b"", fin=True)
                for stream in outputs
                if stream and stream.replied and not stream.server_done
            )
        )

    def interrupt(self) -> bytes:
        """^C ^D on the stdin stream of a terminal, else its FIN."""
        stdin = self._role("stdin")
        if stdin is None or stdin.client_done:
            return b""
        return spdy.data_frame(stdin.id, b"\x03\x04" if self._tty else b"", fin=not self._tty)

    def _client_control(self, frame: Control) -> None:
        if frame.kind is Kind.SYN_STREAM:
            self._open(frame)
        elif frame.kind is Kind.GOAWAY:
            pass  # the cluster may still be talking
        else:
            stream = self._known(frame.stream)
            stream.client_done = stream.client_done or frame.fin or frame.kind is Kind.RST_STREAM

    def _open(self, frame: Control) -> None:
        # Go resets such a stream and reads on; a client that does this wants two readings.
        if not frame.stream & 1 or frame.stream <= max(self._streams, default=0):
            raise TapError(f"the client opens stream {frame.stream} out of order")
        role = frame.headers.get("streamtype", "")
        if role not in _ROLES:
            raise TapError(f"a stream has the unknown type {role[:40]!r}")
        if self._role(role):
            raise TapError(f"a second {role} stream is opened")
        self._streams[frame.stream] = _Stream(role=role, id=frame.stream, client_done=frame.fin)

    def _server_control(self, frame: Control) -> None:
        if frame.kind is Kind.SYN_STREAM:
            raise TapError("the cluster opens a stream")
        if frame.kind is Kind.GOAWAY:
            self._gone = True
            return
        stream = self._known(frame.stream)
        if frame.kind is Kind.SYN_REPLY:
            stream.replied = True
        if frame.fin or frame.kind is Kind.RST_STREAM:
            self._server_done(stream)

    def _server_done(self, stream: _Stream) -> None:
        if stream.role == "error" and not stream.server_done:
            self._journal.error_end()
        stream.server_done = True

    def _known(self, number: int) -> _Stream:
        stream = self._streams.get(number)
        if stream is None:
            raise TapError(f"a frame belongs to stream {number}, which was never opened")
        return stream

    def _role(self, role: str) -> _Stream | None:
        return next((stream for stream in self._streams.values() if stream.role == role), None)
