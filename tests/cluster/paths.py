"""Where binaries are kept between runs and where running clusters keep their files."""

import os
import shutil
from pathlib import Path


def cache() -> Path:
    """Return the folder for what is dear to make: PLANE_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("PLANE_CACHE"):
        folder = Path(chosen).absolute()
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        folder = Path(base) / "plane"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def clusters() -> Path:
    """Return the folder of the clusters that were started by hand."""
    return cache() / "clusters"


def program(name: str) -> str | None:
    """Find a program, also in the system folders that an ordinary PATH leaves out."""
    return shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")
