"""Files that hold secrets: private folders, atomic writes, locks between processes."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from cli.errors import CliError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def private_folder(path: Path) -> Path:
    """Make a folder that only this person may enter, and take others' rights from an old one."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace a file as a whole: readers see the old bytes or the new ones, never a part."""
    spare = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        # O_EXCL: a name that somebody prepared as a link is refused, not followed.
        fd = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        spare.chmod(mode)
        spare.replace(path)
    except BaseException:
        spare.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(path: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Hold an exclusive lock file; the kernel releases it when the process dies."""
    deadline = time.monotonic() + timeout_seconds
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600)) as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise CliError(f"another plane process holds {path}", hint="Try again.")
            time.sleep(0.05)
        yield


@contextlib.contextmanager
def exclusive_file(path: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Hold `path` as kubectl's clientcmd does: the one who can create the file has the lock."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise CliError(
                    f"{path} exists: another program is writing the kubeconfig",
                    hint="If none is running, remove that file and try again.",
                ) from None
            time.sleep(0.05)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _try_lock(fd: int) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True
