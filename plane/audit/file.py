"""A file that grows by whole pieces only: a piece is in it entirely, or not at all.

The ground under the audit log and the recordings.
"""

import errno
import fcntl
import os
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700


class AppendFile:
    """An open file whose end is always the end of a piece; every method may raise OSError."""

    def __init__(self, path: Path, *, new: bool) -> None:
        # O_NOFOLLOW: a link planted in the folder must not lead the evidence elsewhere.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        self.path = path
        self.fd = os.open(path, flags | (os.O_EXCL if new else 0), FILE_MODE)
        self.size = os.fstat(self.fd).st_size
        self._torn = False

    def __repr__(self) -> str:
        return f"<AppendFile {self.path.name} {self.size} bytes>"

    def append(self, piece: bytes) -> None:
        """Write the piece with write(2); when that fails, cut back what had been written of it."""
        if self._torn:
            self._cut()
        try:
            written = os.write(self.fd, piece)
            if written != len(piece):
                _write_all(self.fd, piece[written:])
        except OSError:
            self._torn = True
            self._cut()
            raise
        self.size += len(piece)

    def probe(self) -> None:
        """Raise OSError when the file cannot grow; leaves nothing behind."""
        # No line feed: a reader who looks in between sees the beginning of a line, not a line.
        self.append(b" ")
        self.size -= 1
        self._torn = True
        self._cut()

    def is_linked(self) -> bool:
        """Whether the file still has a name; a deleted one would swallow what is written."""
        return os.fstat(self.fd).st_nlink > 0

    def lock(self) -> None:
        """Hold the file's flock(2) until it is closed; BlockingIOError when another has it."""
        fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def sync(self) -> None:
        """Wait until the content is on disk (milliseconds; call it in a thread)."""
        os.fdatasync(self.fd)

    def close(self) -> None:
        """Close the file, which gives up its lock."""
        os.close(self.fd)

    def cut(self, size: int) -> None:
        """Forget what comes after `size` bytes."""
        self.size = size
        self._cut()

    def _cut(self) -> None:
        os.ftruncate(self.fd, self.size)
        self._torn = False


def _write_all(fd: int, rest: bytes) -> None:
    # A short write means a full disk or a limit; the next one says which.
    while rest:
        written = os.write(fd, rest)
        if written == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rest = rest[written:]


def private_folder(path: Path) -> None:
    """Make the folder if needed, and let only its owner in."""
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    path.chmod(FOLDER_MODE)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
