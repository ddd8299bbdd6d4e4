"""Worlds whose test run was killed: found by a note of the run's pid, and ended by the next run."""

import os
import shutil
from pathlib import Path

from cluster import Cluster
from cluster.paths import cache
from cluster.process import Processes


def end(folder: Path) -> None:
    """Stop whatever runs in a world's folder, and undo what its nodes did to this machine."""
    for home in [folder, *folder.glob("*/")]:
        if (home / "owner").exists():
            Cluster(home.name, folder=home).down()
        processes = Processes(home)
        for name in processes.names():
            processes.stop(name, now=True)


def note(folder: Path) -> Path:
    """Write down that this process has a world in `folder`; delete the note when it has ended."""
    notes = cache() / "worlds"
    notes.mkdir(exist_ok=True)
    path = notes / f"{os.getpid()}-{folder.name}"
    path.write_text(str(folder))
    return path


def sweep() -> None:
    """End the worlds of processes that are gone."""
    for path in (cache() / "worlds").glob("*-*"):
        if not Path(f"/proc/{path.name.partition('-')[0]}").exists():
            folder = Path(path.read_text())
            end(folder)
            shutil.rmtree(folder, ignore_errors=True)
            path.unlink(missing_ok=True)
