"""Finds recordings again, and gives those an end that a crash left without one.

Blocks on the disk: callers on the event loop use a thread.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from plane.audit.file import AppendFile
from plane.clock import from_rfc3339, rfc3339
from plane.errors import NotFound
from plane.recording import sidecar
from plane.recording.asciicast import read_events
from plane.recording.sidecar import Sidecar, State

_log = logging.getLogger(__name__)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which recordings to list; empty fields match all. Instants are epoch seconds (started at).

    `owner` is connector and subject: a display name may repeat.
    """

    user: str = ""
    cluster: str = ""
    namespace: str = ""
    pod: str = ""
    owner: tuple[str, str] | None = None
    since: float | None = None
    until: float | None = None
    limit: int = 100

    def matches(self, found: Sidecar) -> bool:
        """Whether this is one of them."""
        texts = ("user", "cluster", "namespace", "pod")
        if any(getattr(self, key) not in ("", found.get(key)) for key in texts):
            return False
        if self.owner is not None and not is_owner(found, *self.owner):
            return False
        started = str(found.get("started", ""))
        if self.since is not None and started < rfc3339(self.since):
            return False
        return self.until is None or started < rfc3339(self.until)


def is_owner(found: Sidecar, connector: str, subject: str) -> bool:
    """Whether the recorded session was this person's; what has no subject is nobody's."""
    return bool(subject) and (found.get("connector"), found.get("subject")) == (connector, subject)


class Archive:
    """The recordings in a Recorder's folder, live ones included."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<Archive {self.folder}>"

    def get(self, name: str) -> Sidecar:
        """The sidecar of a recording by its id; NotFound when there is none."""
        found = sidecar.read(self._path(name, ".json"))
        if found is None:
            raise unknown(name)
        return found

    def cast_path(self, name: str) -> Path:
        """Where the cast of a recording is; NotFound when there is none."""
        return self._path(name, ".cast")

    def sweep(self) -> list[Sidecar]:
        """Close what no process records any more; their sidecars, now `interrupted`."""
        return [closed for path in self._sidecars() if (closed := _close(path)) is not None]

    def _path(self, name: str, suffix: str) -> Path:
        # Only a UUID in its one spelling: nothing that could lead out of the folder.
        try:
            valid = str(UUID(name)) == name
        except ValueError:
            valid = False
        if valid:
            for day in _days(self.folder):
                path = day / f"{name}{suffix}"
                if path.is_file() and not path.is_symlink():
                    return path
        raise unknown(name)

    def _sidecars(self) -> Iterator[Path]:
        for day in _days(self.folder):
            yield from day.glob("*.json")

    def list(self, wanted: Wanted = Wanted()) -> list[Sidecar]:
        """The sidecars, newest first."""
        result: list[Sidecar] = []
        for day in _days(self.folder):
            if wanted.since is not None and day.name < rfc3339(wanted.since)[:10]:
                break
            found = [each for path in day.glob("*.json") if (each := sidecar.read(path))]
            found.sort(key=lambda each: str(each.get("started", "")), reverse=True)
            result += [each for each in found if wanted.matches(each)]
            if len(result) >= wanted.limit:
                break
        return result[: wanted.limit]


def _days(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _DAY.fullmatch(path.name)), reverse=True)


def unknown(name: str) -> NotFound:
    """The refusal of an id, the same whether it does not exist or is somebody else's."""
    return NotFound(f"there is no recording {name[:64]!r}, or none that you may see")


def _close(path: Path) -> Sidecar | None:
    found = sidecar.read(path)
    if found is None or found.get("state") != State.RECORDING:
        return None
    try:
        cast = AppendFile(path.with_suffix(".cast"), new=False)
        try:
            cast.lock()
            size, digest, seconds = _cut_torn_line(cast)
        finally:
            cast.close()
        found |= {
            "state": State.INTERRUPTED.value,
            "ended": rfc3339(from_rfc3339(str(found["started"])) + seconds),
            "durationSeconds": seconds,
            "reason": "plane was interrupted while this session ran",
            "closedBy": "crash",
            "bytes": size,
            "sha256": digest,
        }
        sidecar.write(path, found)
    except BlockingIOError:
        return None  # another process records it right now
    except (OSError, KeyError, ValueError) as error:
        _log.error("recording %s cannot be closed: %s", path.stem, error)
        return None
    return found


def _cut_torn_line(cast: AppendFile) -> tuple[int, str, float]:
    """Size, digest and last second of the whole lines; what is torn after them goes."""
    digest, size, seconds = hashlib.sha256(), 0, 0.0
    with cast.path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            digest.update(line)
            size += len(line)
            for event in read_events([line]):
                seconds = event.seconds
    cast.cut(size)
    return size, digest.hexdigest(), seconds
