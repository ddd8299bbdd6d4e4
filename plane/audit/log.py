"""The audit log: an event is in the file before `append` returns, so kill -9 loses no answer.

What must outlive a power cut too (changes, sessions, logins) waits for `sync`; the rest is on disk
within a second. When an event cannot be written, the caller gets EvidenceUnavailable and must
refuse what it was about to do.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from plane.audit.events import Event
from plane.audit.file import AppendFile, private_folder, sync_folder
from plane.audit.line import encode
from plane.audit.segment import Position, repair, segment_path, segment_start, segments
from plane.clock import SYSTEM, Clock
from plane.errors import EvidenceUnavailable
from plane.tasks import spawn

_log = logging.getLogger(__name__)
_MESSAGE = "the audit log cannot be written, so nothing may happen; tell an administrator of plane"


class AuditLog:
    """The one writer of a folder of segments; use it from the event loop's thread only.

    Opening may raise EvidenceUnavailable. `recovered` tells what the last crash left behind.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock = SYSTEM,
        *,
        segment_bytes: int = 64 << 20,
        segment_seconds: float = 86400.0,
        sync_seconds: float = 1.0,
    ) -> None:
        self.folder = folder
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._segment_seconds = segment_seconds
        self._sync_seconds = sync_seconds
        self._seq = 0
        self._failing = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._flight: asyncio.Task[OSError | None] | None = None
        self._retired: list[AppendFile] = []
        self._thread = ThreadPoolExecutor(1, "audit-sync")
        try:
            self._lock = _locked(folder)
            self.recovered = self._recover()
        except OSError as error:
            raise EvidenceUnavailable(_MESSAGE, detail=f"opening {folder}: {error}") from error
        self._synced = self._seq

    def __repr__(self) -> str:
        return f"<AuditLog {self.folder} writer={self.writer} seq={self._seq}>"

    @property
    def seq(self) -> int:
        """The number of the newest event; 0 when there is none."""
        return self._seq

    @property
    def healthy(self) -> bool:
        """False from a failed write until the file is seen to accept bytes again."""
        return not self._failing

    def append(self, event: Event) -> int:
        """Write the event and return its number; EvidenceUnavailable when it is not in the file."""
        seq = self._seq + 1
        try:
            line = encode(event, seq=seq, writer=self.writer)
            if self._file.size >= self._segment_bytes or self._clock.now() >= self._rotate_at:
                self._rotate(seq)
            self._file.append(line)
        except (OSError, TypeError) as error:
            raise self._failed(error) from error
        self._seq = seq
        self._failing = False
        if self._timer is None:
            self._arm()
        return seq

    async def sync(self) -> None:
        """Return when every event appended before the call is on disk; callers share the wait."""
        wanted = self._seq
        while self._synced < wanted:
            if self._flight is None:
                self._flight = spawn(self._sync_all(), name="audit-sync")
            # Shielded: one caller who gives up must not end the wait of the others.
            error = await asyncio.shield(self._flight)
            if error is not None:
                raise EvidenceUnavailable(_MESSAGE, detail=f"sync: {error}")

    async def close(self) -> None:
        """Sync, close the files and let another writer in; EvidenceUnavailable if that failed."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self.sync()
        finally:
            self._thread.shutdown()
            for file in (*self._retired, self._file, self._lock):
                file.close()

    def _recover(self) -> Position:
        found = repair(self.folder)
        if found.cut_bytes or found.damaged:
            _log.warning(
                "audit log %s: cut a torn line of %d bytes, %d damaged lines at the end",
                self.folder, found.cut_bytes, found.damaged,
            )  # fmt: skip
        self.writer = found.writer or self._clock.uuid()
        self._seq = found.seq
        paths = segments(self.folder)
        if paths:
            self._use(AppendFile(paths[-1], new=False))
        else:
            self._use(self._new_segment(1))
        return found

    def _new_segment(self, seq: int) -> AppendFile:
        path = segment_path(self.folder, seq=seq, started=self._clock.now())
        return AppendFile(path, new=True)

    def _use(self, file: AppendFile) -> None:
        self._file = file
        self._new_name = True
        self._rotate_at = segment_start(file.path)[1] + self._segment_seconds

    def _rotate(self, seq: int) -> None:
        if self._file.size == 0:
            # Nothing in it yet, so its name would be taken again.
            self._rotate_at = self._clock.now() + self._segment_seconds
            return
        file = self._new_segment(seq)
        self._retired.append(self._file)
        self._use(file)

    def _failed(self, error: Exception) -> EvidenceUnavailable:
        if not self._failing:
            _log.error("audit log %s: %s", self.folder, error)
        self._failing = True
        if self._timer is None:
            self._arm()
        return EvidenceUnavailable(_MESSAGE, detail=f"{type(error).__name__}: {error}")

    def _arm(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # without a loop (a command, a test) only close() and the kernel sync
        if not self._closed:
            self._timer = loop.call_later(self._sync_seconds, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._failing:
            self._try_again()
        if self._synced < self._seq and self._flight is None:
            self._flight = spawn(self._sync_all(), name="audit-sync")

    def _try_again(self) -> None:
        # Without this a server that says it is not ready would get no request to prove otherwise.
        try:
            self._file.probe()
        except OSError:
            self._arm()
        else:
            self._failing = False

    async def _sync_all(self) -> OSError | None:
        upto, retired, current = self._seq, self._retired, self._file
        self._retired = []
        new_name, self._new_name = self._new_name, False
        loop = asyncio.get_running_loop()
        try:
            linked = await loop.run_in_executor(
                self._thread, _flush, retired, current, self.folder if new_name else None
            )
            self._synced = upto
        except OSError as error:
            self._failed(error)
            # After a failed fdatasync the kernel may call lost pages clean: never trust this file.
            self._rotate_at = 0.0
            return error
        else:
            if not linked and self._file is current:
                _log.error("audit log %s: somebody deleted %s", self.folder, current.path.name)
                self._rotate_at = 0.0
            return None
        finally:
            self._flight = None


def _locked(folder: Path) -> AppendFile:
    private_folder(folder)
    lock = AppendFile(folder / "lock", new=False)
    try:
        lock.lock()
    except BlockingIOError:
        lock.close()
        message = f"another plane server writes the audit log in {folder}"
        raise EvidenceUnavailable(message) from None
    return lock


def _flush(retired: Sequence[AppendFile], current: AppendFile, folder: Path | None) -> bool:
    for file in retired:
        file.sync()
        file.close()
    current.sync()
    if folder is not None:
        sync_folder(folder)
    return current.is_linked()
