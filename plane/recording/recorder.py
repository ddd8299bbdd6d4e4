"""Records live sessions: what a container says is in the file within a second.

Everything here is called from the event loop's thread. A write(2) of at most some 64 KiB goes to
the page cache; what it wrote outlives kill -9 of plane.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec

from plane.audit.file import private_folder
from plane.clock import SYSTEM, Clock, rfc3339
from plane.errors import EvidenceUnavailable
from plane.recording import sidecar
from plane.recording.asciicast import Code, event_line, header_line, quoted
from plane.recording.castfile import CastFile
from plane.recording.content import Content
from plane.recording.header import Header

_log = logging.getLogger(__name__)
_MESSAGE = "the session's recording cannot be written; tell an administrator of plane"
# Until the client says its terminal's size, which kubectl does right away.
_WIDTH, _HEIGHT = 80, 24
_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A finished recording: seconds, the cast's size and digest, and bytes per stream."""

    duration: float
    size: int
    sha256: str
    bytes: Mapping[str, int]
    path: Path


class Recorder:
    """Opens recordings in a folder per day (UTC) and flushes all of them by one timer.

    The last `reserve_bytes` of the disk are not for recordings: without the audit log, which needs
    them, one endless `yes` in a pod would stop everybody's work.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock = SYSTEM,
        *,
        flush_seconds: float = 1.0,
        flush_bytes: int = 65536,
        reserve_bytes: int = 64 << 20,
    ) -> None:
        self.folder = folder
        self.reserve_bytes = reserve_bytes
        self._clock = clock
        self._flush_seconds = flush_seconds
        self._flush_bytes = flush_bytes
        self._waiting: set[Recording] = set()
        self._due: deque[Recording] = deque()
        self._timer: asyncio.Handle | None = None
        self._thread = ThreadPoolExecutor(1, "recording-sync")

    def open(self, header: Header) -> "Recording":
        """Begin a recording whose sidecar is on disk; EvidenceUnavailable when that fails."""
        started = self._clock.now()
        day = self.folder / datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%d")
        try:
            if str(UUID(header.id)) != header.id:
                raise ValueError(f"{header.id!r} is no UUID in its usual form")  # noqa: TRY301
            private_folder(self.folder)
            private_folder(day)
            return Recording(self, header, path=day / f"{header.id}.cast", started=started)
        except (OSError, ValueError) as error:
            _log.error("recording %s: %s", header.id, error)
            raise EvidenceUnavailable(_MESSAGE, detail=f"opening in {day}: {error}") from error

    def changed(self, recording: "Recording") -> None:
        """Flush what the recording holds: now if it is much, else when the timer fires."""
        if recording.held >= self._flush_bytes:
            recording.flush()
            return
        self._waiting.add(recording)
        if self._timer is None:
            self._arm()

    def closed(self, recording: "Recording") -> None:
        """Forget a finished recording."""
        self._waiting.discard(recording)

    def settle(self, file: CastFile) -> None:
        """Bring a finished recording to the disk and close its file, in a thread."""
        self._thread.submit(file.settle)

    def elapsed(self) -> float:
        """Seconds on the clock that never goes backwards."""
        return self._clock.monotonic()

    def now(self) -> float:
        """Epoch seconds."""
        return self._clock.now()

    def _arm(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # without a loop (a test) only size and finish() flush
        self._timer = loop.call_later(self._flush_seconds, self._tick)

    def _tick(self) -> None:
        self._due.extend(self._waiting)
        self._waiting.clear()
        self._flush_next()

    def _flush_next(self) -> None:
        # One write(2) per turn of the loop: a thousand sessions do not hold up a request.
        self._timer = None
        if self._due:
            with contextlib.suppress(EvidenceUnavailable):  # told at the session's next byte
                self._due.popleft().flush()
            self._timer = asyncio.get_running_loop().call_soon(self._flush_next)
        elif self._waiting:
            self._arm()


class Recording:
    """One session under way; each method but `finish` may raise EvidenceUnavailable for good."""

    def __init__(self, recorder: Recorder, header: Header, *, path: Path, started: float) -> None:
        self._recorder = recorder
        self._header = header
        self._begun = recorder.elapsed()
        self._sidecar = sidecar.opened(header, started=started)
        self._held = bytearray()
        self._streams: dict[str, Content] = {}
        # A digest of what was typed at a terminal would let passwords be guessed.
        self._stdin = Content(bulk=not header.tty, digest=not header.tty)
        self._size: tuple[int, int] | None = None
        self._fault = ""
        self._finished = False
        self._file = CastFile(path, reserve_bytes=recorder.reserve_bytes)
        try:
            self._file.write(_first_line(header, started))
            sidecar.write(path.with_suffix(".json"), self._sidecar)
        except OSError:
            self._file.discard()
            raise

    def __repr__(self) -> str:
        return f"<Recording {self._header.id} {self._file.size}+{self.held} bytes>"

    @property
    def held(self) -> int:
        """Bytes that are not in the file yet."""
        return len(self._held)

    def output(self, stream: str, data: bytes) -> None:
        """Keep what the container wrote to `stdout` or `stderr`."""
        content = self._streams.get(stream)
        if content is None:
            content = self._streams[stream] = Content(bulk=not self._header.tty)
        if text := content.keep(data):
            self._mark_left_out(stream, content)
            self._add(Code.OUTPUT, text)
        else:
            self._check()
            self._recorder.changed(self)  # what was left out gets its marker in time

    def input(self, data: bytes) -> None:
        """Keep what was typed if the roles say so, else count it."""
        if not self._header.record_input:
            self._stdin.count(data, size=len(data))
            self._check()
        elif text := self._stdin.keep(data):
            self._mark_left_out("stdin", self._stdin)
            self._add(Code.INPUT, text)
        else:
            self._check()

    def resize(self, width: int, height: int) -> None:
        """Keep the terminal's size, in cells, when it is a new one."""
        if self._size == (width, height):
            return
        if self._size is None:
            self._sidecar |= {"width": width, "height": height}
        self._size = (width, height)
        self._add(Code.RESIZE, f"{width}x{height}")

    def flush(self) -> None:
        """Write everything held to the file."""
        self._check()
        for name, content in self._all():
            self._mark_left_out(name, content)
        if self._held:
            try:
                self._file.write(bytes(self._held))
            except OSError as error:
                raise self._failed(error) from error
            self._held.clear()

    def finish(self, *, exit_code: int | None, reason: str, closed_by: str) -> Summary:
        """Write the end and the sidecar; EvidenceUnavailable when something is missing.

        `closed_by` is client, cluster or plane.
        """
        if self._finished:
            raise EvidenceUnavailable(_MESSAGE, detail="the recording is finished already")
        self._finished = True
        summary = None
        try:
            if not self._fault:
                self._end_texts()
                self.flush()
        finally:
            self._recorder.closed(self)
            summary = self._close(exit_code=exit_code, reason=reason, closed_by=closed_by)
        self._check()
        return summary

    def _close(self, *, exit_code: int | None, reason: str, closed_by: str) -> Summary:
        summary = Summary(
            duration=round(self._recorder.elapsed() - self._begun, 6),
            size=self._file.size,
            sha256=self._file.sha256,
            bytes={name: content.bytes for name, content in self._all()},
            path=self._file.path,
        )
        self._sidecar |= {
            "state": (sidecar.State.FAILED if self._fault else sidecar.State.COMPLETE).value,
            "ended": rfc3339(self._recorder.now()),
            "durationSeconds": summary.duration,
            "exitCode": exit_code,
            "reason": reason,
            "closedBy": closed_by,
            "bytes": summary.size,
            "sha256": summary.sha256,
            "streams": {name: content.summary() for name, content in self._all()},
        }
        try:
            sidecar.write(summary.path.with_suffix(".json"), self._sidecar)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._recorder.settle(self._file)
        return summary

    def _all(self) -> list[tuple[str, Content]]:
        typed = [("stdin", self._stdin)] if self._stdin.bytes else []
        return [*typed, *self._streams.items()]

    def _end_texts(self) -> None:
        for name, content in self._all():
            if content.is_cut():
                self._hold(Code.INPUT if name == "stdin" else Code.OUTPUT, "\ufffd")

    def _mark_left_out(self, name: str, content: Content) -> None:
        if count := content.take_left_out():
            self._hold(Code.MARKER, f"{name}: {count} bytes of binary data left out")

    def _add(self, code: Code, text: str) -> None:
        self._check()
        self._hold(code, text)
        self._recorder.changed(self)

    def _hold(self, code: Code, text: str) -> None:
        seconds = self._recorder.elapsed() - self._begun
        self._held += event_line(seconds, code, text, quote=_quoted)

    def _check(self) -> None:
        if self._fault:
            raise EvidenceUnavailable(_MESSAGE, detail=self._fault)

    def _failed(self, error: OSError) -> EvidenceUnavailable:
        self._fault = f"recording {self._header.id}: {error}"
        self._held.clear()
        _log.error("%s", self._fault)
        return EvidenceUnavailable(_MESSAGE, detail=self._fault)


def _first_line(header: Header, started: float) -> bytes:
    place = "/".join(part for part in (header.namespace, header.pod, header.container) if part)
    more: dict[str, object] = {"title": f"{header.user} on {header.cluster}: {place}"}
    if header.command:
        more["command"] = " ".join(header.command)
    return header_line(width=_WIDTH, height=_HEIGHT, timestamp=started, more=more)


def _quoted(text: str) -> bytes:
    # Three times as fast as the standard library, but it leaves other scripts and C1 controls raw.
    return _json.encode(text) if text.isascii() else quoted(text)
