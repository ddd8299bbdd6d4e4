"""port-forward over WebSocket channels, `/portforward?ports=8080,9090` (before SPDY tunnelling).

The n-th port has channel 2n for data and 2n+1 for errors; the first two bytes from the server on
each repeat the port, little-endian (k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from plane.kube import websocket
from plane.kube.channels import ChannelProtocol, Messages
from plane.kube.portforward import MAX_MESSAGE_BYTES, PortLedger, port_number
from plane.kube.remotecommand import message_of
from plane.kube.tapevents import PortFailed, PortOpened, TapError, TapEvent

MAX_PORTS = 64  # two channels each; their number is one byte
PROTOCOLS: Final = {
    "v4.channel.k8s.io": ChannelProtocol(),
    "v4.base64.channel.k8s.io": ChannelProtocol(base64=True),
}


@dataclass(slots=True, kw_only=True)
class _Channel:
    port: int
    is_data: bool
    announced: bytes = b""
    text: bytearray = field(default_factory=bytearray)


class LegacyForwardTap:
    """Follows port-forward over WebSocket channels; a plane.kube.tapevents.Tap."""

    def __init__(self, protocol: ChannelProtocol, ports: Sequence[int]) -> None:
        self._protocol = protocol
        self._channels = [
            _Channel(port=port, is_data=is_data) for port in ports for is_data in (True, False)
        ]
        opaque = b"" if protocol.base64 else bytes(range(0, 2 * len(ports), 2))
        self._client = Messages(
            websocket.FrameReader(masked=True, whole=True, opaque=opaque), base64=protocol.base64
        )
        self._server = Messages(websocket.FrameReader(masked=False), base64=protocol.base64)
        self._ledger = PortLedger()

    def client(self, data: bytes) -> list[TapEvent]:
        """Count what is sent."""
        for number, _, size, _ in self._client.feed(data):
            if size:
                channel = self._channel(number)
                if not channel.is_data:
                    raise TapError(f"the client writes to the error channel {number}")
                self._ledger.count(channel.port, sent=size)
        return self._ledger.take()

    def server(self, data: bytes) -> list[TapEvent]:
        """Check the announced ports; count what is received; read the error channels."""
        for number, piece, size, end in self._server.feed(data):
            if not size and number < 0:
                continue
            channel = self._channel(number)
            payload = self._announced(channel, piece) if len(channel.announced) < 2 else piece
            if channel.is_data:
                self._ledger.count(channel.port, received=len(payload))
            else:
                channel.text += payload[: MAX_MESSAGE_BYTES - len(channel.text)]
                if end:
                    self._failed(channel)
        return self._ledger.take()

    def finish(self) -> list[TapEvent]:
        """Tell an error that was cut off."""
        for channel in self._channels:
            self._failed(channel)
        return self._ledger.take()

    def safe_prefix(self) -> int | None:
        """See Tap."""
        return self._server.frames.safe

    def client_prefix(self) -> int | None:
        """See Tap."""
        return self._client.frames.safe

    def ending(self, status: bytes) -> bytes:
        """The reason as text on the error channels that are announced, then CLOSE 1000."""
        if self._server.frames.closed:
            return b""
        said = message_of(status)
        told = b"".join(
            self._protocol.encode(number, said)
            for number, channel in enumerate(self._channels)
            if not channel.is_data and len(channel.announced) == 2
        )
        return told + websocket.CLOSE_NORMAL

    def interrupt(self) -> bytes:
        """Nothing: there is no stdin."""
        return b""

    def _announced(self, channel: _Channel, piece: bytes) -> bytes:
        """Take the port off the front of a channel's first bytes."""
        missing = 2 - len(channel.announced)
        channel.announced += piece[:missing]
        if len(channel.announced) == 2:
            port = int.from_bytes(channel.announced, "little")
            if port != channel.port:
                raise TapError(f"the cluster forwards port {port} where {channel.port} was asked")
            if channel.is_data:
                self._ledger.add(PortOpened(port=port))
        return piece[missing:]

    def _channel(self, number: int) -> _Channel:
        if not 0 <= number < len(self._channels):
            raise TapError(f"channel {number} belongs to no forwarded port")
        return self._channels[number]

    def _failed(self, channel: _Channel) -> None:
        if channel.text:
            message = channel.text.decode("utf-8", "replace")
            channel.text.clear()
            self._ledger.add(PortFailed(port=channel.port, message=message))


def ports_of(query: Sequence[tuple[str, str]]) -> list[int]:
    """The ports that the query asks for, as the API server reads it; TapError when none."""
    values = [value for name, value in query if name == "ports"]
    ports = [port_number(text) for value in values for text in value.split(",")]
    if not ports or len(ports) > MAX_PORTS:
        raise TapError(f"port-forward over WebSocket channels needs 1 to {MAX_PORTS} ports=")
    return ports
