"""Passes bytes both ways between a client and a cluster while a tap reads a copy.

Each side ends differently: the cluster's end is the normal one, the client's end leaves a command
without its reader, and plane's own end must show its reason at a frame boundary (a bare close makes
SPDY kubectl exit 0).
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plane.errors import EvidenceUnavailable, SessionEnded
from plane.kube.status import status
from plane.kube.tap import PortFailed, PortOpened, Tap, TapError
from plane.proxy.call import ClientStream
from plane.proxy.live import LiveStream
from plane.proxy.witness import Witness
from plane.tasks import cancel, spawn
from plane.upstream.base import Stream

_BOUNDARY_SECONDS = 1.0  # how long an ending waits for the frame that is on its way
_AFTERMATH_SECONDS = 1.0  # how long an interrupted command may still say something


class ClosedBy(StrEnum):
    """Who ended a session."""

    CLIENT = "client"
    CLUSTER = "cluster"
    PLANE = "plane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a splice ended; `reason` is plane's own, where plane ended it."""

    closed_by: ClosedBy
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The two streams of a splice, and what stands between them."""

    client: ClientStream
    cluster: Stream
    tap: Tap
    witness: Witness
    on_port: Callable[[PortOpened | PortFailed], None]
    first: bytes = b""
    interactive: bool = False


class Splice:
    """One spliced session; `run` returns when it is over and both sides are closed."""

    def __init__(self, sides: Sides, live: LiveStream) -> None:
        self._sides = sides
        self._live = live
        self._stopping = False
        self._clean = True  # the client's last byte ended a frame
        self._deaf = False  # the cluster takes no more
        self._last_up = 0  # length of the client's last chunk, all of it passed on

    async def run(self) -> Ending:
        """Pass bytes until one side ends, the right is withdrawn, or the evidence fails."""
        up = spawn(self._upward(), name="splice client to cluster")
        down = spawn(self._downward(), name="splice cluster to client")
        try:
            waited: set[asyncio.Future[Any]] = {up, down, self._live.ended}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            reason = self._reason(up, down)
            if reason is not None:
                # What the tap could not follow was not passed on, so nothing may follow it.
                self._deaf = self._deaf or _failed(up)
                await cancel(up)
                await self._end(reason, down)
                return Ending(closed_by=ClosedBy.PLANE, reason=reason)
            if down.done():
                # One reader at a time: bytes that the linger discards are not for the tap.
                await cancel(up)
                await self._sides.client.linger()
                return Ending(closed_by=ClosedBy.CLUSTER)
            await cancel(down)
            await self._interrupt()
            return Ending(closed_by=ClosedBy.CLIENT)
        finally:
            await cancel(up)
            await cancel(down)
            self._notice(self._sides.witness.see(self._sides.tap.finish()))
            self._sides.cluster.close()

    def _reason(self, up: asyncio.Task[None], down: asyncio.Task[None]) -> str | None:
        """Why plane must end it, or None when a side ended it."""
        if self._live.ended.done():
            return self._live.ended.result()
        for task in (up, down):
            error = task.exception() if task.done() and not task.cancelled() else None
            if isinstance(error, TapError | EvidenceUnavailable):
                return f"plane ended this session: {error}"
            if error is not None and not isinstance(error, OSError):
                return "plane ended this session: it failed inside plane"
        return None

    async def _upward(self) -> None:
        sides = self._sides
        while data := await sides.client.read():
            self._notice(sides.witness.see(sides.tap.client(data)))
            self._last_up = len(data)
            if self._deaf:
                continue
            try:
                await sides.cluster.write(data)
            except OSError:
                # The command has ended while its input still flows: its status is still to come.
                self._deaf = True

    async def _downward(self) -> None:
        sides = self._sides
        data = sides.first or await sides.cluster.read()
        while data:
            self._notice(sides.witness.see(sides.tap.server(data)))
            boundary = sides.tap.safe_prefix()
            if self._stopping and boundary is not None:
                await sides.client.write(data[:boundary])
                self._clean = True
                return
            self._clean = False
            await sides.client.write(data)
            self._clean = boundary == len(data)
            data = await sides.cluster.read()

    def _notice(self, ports: list[PortOpened | PortFailed]) -> None:
        for port in ports:
            self._sides.on_port(port)

    async def _end(self, reason: str, down: asyncio.Task[None]) -> None:
        """Show the reason in the client's terminal, then close; the command is asked to stop."""
        sides = self._sides
        self._stopping = True
        if not self._clean and not down.done():
            await asyncio.wait({down}, timeout=_BOUNDARY_SECONDS)
        await cancel(down)
        error = SessionEnded(reason)
        body = status(code=error.status, reason=error.reason, message=reason)
        ending = sides.tap.ending(body) if self._clean else b""
        if not ending:
            # No place for a reason: an orderly close would look like success to a SPDY kubectl.
            sides.client.cut()
        with contextlib.suppress(OSError, TapError, TimeoutError):
            async with asyncio.timeout(_BOUNDARY_SECONDS):
                await sides.client.write(ending)
        await self._interrupt()
        await sides.client.linger()

    async def _interrupt(self) -> None:
        """Type ^C ^D for a person who has gone: closing alone leaves the command running."""
        sides = self._sides
        if not sides.interactive or self._deaf:
            return
        keys = sides.tap.interrupt() if sides.tap.client_prefix() == self._last_up else b""
        if not keys:
            return
        with contextlib.suppress(OSError, TimeoutError, TapError, EvidenceUnavailable):
            await sides.cluster.write(keys)
            async with asyncio.timeout(_AFTERMATH_SECONDS):
                while data := await sides.cluster.read():
                    sides.witness.see(sides.tap.server(data))


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
