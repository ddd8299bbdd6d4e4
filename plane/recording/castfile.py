"""The cast on disk: grows by whole events, knows its digest, and leaves room for the audit log."""

import hashlib
import logging
import os
from pathlib import Path

from plane.audit.file import AppendFile, sync_folder

_log = logging.getLogger(__name__)


class CastFile:
    """A new cast and its lock; every method but `settle` may raise OSError."""

    def __init__(self, path: Path, *, reserve_bytes: int) -> None:
        self._file = AppendFile(path, new=True)
        self._digest = hashlib.sha256()
        self._reserve_bytes = reserve_bytes
        # Held until the end: whoever sweeps sees that this one is alive.
        self._file.lock()

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._file.path

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._file.size

    @property
    def sha256(self) -> str:
        """The digest of what is in the file."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Append whole events, or nothing of them."""
        disk = os.fstatvfs(self._file.fd)
        if disk.f_bavail * disk.f_frsize < self._reserve_bytes:
            raise OSError("what is left of the disk is kept for the audit log")
        self._file.append(piece)
        self._digest.update(piece)

    def close(self) -> None:
        """Close it as it is, and give up the lock."""
        self._file.close()

    def discard(self) -> None:
        """Close and remove a cast that was not begun."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def settle(self) -> None:
        """Wait for the disk (milliseconds: in a thread), sidecar included, and close."""
        try:
            self._file.sync()
            fd = os.open(self.path.with_suffix(".json"), os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
            sync_folder(self.path.parent)
        except OSError as error:
            _log.error("recording %s may not survive a power cut: %s", self.path.stem, error)
        finally:
            self._file.close()
