"""What a tap says about a live stream: its events, its error, and the interface all taps share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

OutputStream = Literal["stdout", "stderr"]


class TapError(Exception):
    """The tap cannot follow, so the stream would go unrecorded; the sentence is for the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Bytes that the container wrote; neighbours of one stream within one call come as one."""

    stream: OutputStream
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Bytes typed or sent to stdin; `data` is empty when the tap was asked to count only."""

    data: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """The client's terminal has this size, in cells; clients repeat themselves."""

    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The cluster said how the command ended.

    `status` is its v1.Status as parsed JSON, or None when it said nothing or no JSON; protocols
    older than v4 speak plain text, which is in `message`.
    """

    status: Mapping[str, object] | None
    message: str = ""

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, None when the Status holds none (it could not start, or text).

        The message's wording differs between protocols, reason and causes do not (KEP-4006).
        """
        if self.status is None:
            return None
        if self.status.get("status") == "Success":
            return 0
        details = self.status.get("details")
        causes = details.get("causes") if isinstance(details, Mapping) else None
        for cause in causes if isinstance(causes, list) else ():
            if isinstance(cause, Mapping) and cause.get("reason") == "ExitCode":
                code = str(cause.get("message"))
                return int(code) if code.isascii() and code.isdigit() and len(code) < 6 else None
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortOpened:
    """One forwarded connection to a port of the pod was asked for."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortData:
    """Bytes carried since the last such event of this port; `sent` goes to the pod."""

    port: int
    sent: int
    received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFailed:
    """The node could not forward a connection, in its own words (cut to a limit)."""

    port: int
    message: str


TapEvent = Output | Input | Resize | Ended | PortOpened | PortData | PortFailed


class Tap(Protocol):
    """Follows one upgraded connection by copies of its bytes, in any chunking.

    Feed every chunk before it is forwarded. Nothing here changes the bytes; to end a session the
    caller cuts the stream at a boundary and puts `ending()` there.
    """

    def client(self, data: bytes) -> list[TapEvent]:
        """Bytes from client to cluster; raises TapError when they cannot be followed."""
        ...

    def server(self, data: bytes) -> list[TapEvent]:
        """Bytes from cluster to client; raises TapError when they cannot be followed."""
        ...

    def finish(self) -> list[TapEvent]:
        """Call once when the connection is gone: what was still waiting for its end."""
        ...

    def safe_prefix(self) -> int | None:
        """How much of the last server() chunk to forward so that `ending()` may follow.

        The last frame boundary in that chunk; 0 is right before it; None is nowhere in it: forward
        it whole and ask again after the next one. Before any chunk it is 0.
        """
        ...

    def client_prefix(self) -> int | None:
        """The same for the last client() chunk and `interrupt()`."""
        ...

    def ending(self, status: bytes) -> bytes:
        """Bytes that show this v1.Status (JSON) to the client and end the session; close after.

        Empty when the cluster has ended it already or nothing would be understood.
        """
        ...

    def interrupt(self) -> bytes:
        """Bytes for the cluster that make the command stop: ^C ^D to a terminal, EOF to a pipe.

        Empty when there is no stdin to say it on. Best effort: the command may ignore it.
        """
        ...
