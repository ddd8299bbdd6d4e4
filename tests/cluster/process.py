"""Background processes that are known by a pid file, so that another run can stop them."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from cluster.wait import wait_for


class ProcessDiedError(Exception):
    """A part of the cluster ended by itself; the message carries the end of its log."""


def _started_at(pid: int) -> str:
    """Return the start time of a live process, "" for none: with it a reused pid is noticed."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        asked = subprocess.run(
            ["ps", "-o", "lstart=,state=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if asked.stdout.strip().endswith("Z") else asked.stdout.strip()
    # A zombie has ended, though nobody has asked for its exit status yet.
    return "" if fields[0] == "Z" else fields[19]


class Processes:
    """The background processes of one folder: NAME.pid and NAME.log for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(
        self, name: str, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None
    ) -> None:
        """Start a program in its own session, its output in NAME.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if env is None else {**os.environ, **env},
                start_new_session=True,
            )
        self._children[child.pid] = child
        (self.folder / f"{name}.pid").write_text(f"{child.pid} {_started_at(child.pid)}")

    def pid(self, name: str) -> int | None:
        """Return the pid of a process that still runs."""
        try:
            pid, _, started = (self.folder / f"{name}.pid").read_text().partition(" ")
        except FileNotFoundError:
            return None
        return int(pid) if started and _started_at(int(pid)) == started else None

    def names(self) -> list[str]:
        """Return what was started here, running or not."""
        return sorted(path.stem for path in self.folder.glob("*.pid"))

    def tail(self, name: str, lines: int = 15) -> str:
        """Return the end of a log."""
        path = self.folder / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join([f"--- the end of {path}", *text.splitlines()[-lines:]])

    def check(self, *names: str) -> None:
        """Raise ProcessDiedError when one of these has ended."""
        for name in names:
            if self.pid(name) is None:
                raise ProcessDiedError(f"{name} ended\n{self.tail(name)}")

    def stop(self, name: str, *, now: bool = False) -> None:
        """End one process, politely unless `now`, and wait until it is gone."""
        if (pid := self.pid(name)) is not None:
            if not now:
                self._signal(pid, signal.SIGTERM)
                with contextlib.suppress(Exception):
                    wait_for(name, lambda: self.pid(name) is None, seconds=5)
            self._signal(pid, signal.SIGKILL)
            wait_for(f"the end of {name}", lambda: self.pid(name) is None, seconds=10)
            if child := self._children.pop(pid, None):
                child.wait()
        (self.folder / f"{name}.pid").unlink(missing_ok=True)

    @staticmethod
    def _signal(pid: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
