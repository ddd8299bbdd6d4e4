"""The kubectl versions of this machine: old ones speak SPDY, new ones WebSocket."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Made by hand or by a packager: kubectl, kubectl.1.27, kubectl-1.31, kubectl1.33.
_NAME = re.compile(r"kubectl([.-]?v?1\.\d+(\.\d+)?)?$")

# Both switches together make a new kubectl speak the protocol of the old ones.
SPDY = {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": "false", "KUBECTL_PORT_FORWARD_WEBSOCKETS": "false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """One kubectl: where it is, its version and what it needs in its environment."""

    path: Path
    version: tuple[int, int]
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def websocket(self) -> bool:
        """Say whether exec and attach use WebSocket (the default since 1.31, on from 1.30 here)."""
        return self.version >= (1, 30) and not self.env

    def spdy(self) -> "Kubectl":
        """Return the same kubectl made to speak SPDY."""
        return Kubectl(path=self.path, version=self.version, env=SPDY)

    def __str__(self) -> str:
        """Read as kubectl 1.34 over spdy."""
        return f"kubectl {self.version[0]}.{self.version[1]} over {'websocket' if self.websocket else 'spdy'}"


def find_kubectls(built: Path | None = None) -> list[Kubectl]:
    """Return one kubectl per minor version, oldest first; `built` is the one of the test cluster."""
    found: dict[tuple[int, int], Kubectl] = {}
    for path in ([built] if built else []) + _candidates():
        version = _version(path)
        if version and version not in found:
            found[version] = Kubectl(path=path, version=version)
    return [found[version] for version in sorted(found)]


def _candidates() -> list[Path]:
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    # A vendor's folder with several versions is often linked into PATH by one name only.
    real = [
        (folder / "kubectl").resolve().parent for folder in folders if (folder / "kubectl").exists()
    ]
    return [
        path
        for folder in dict.fromkeys([*folders, *real])
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if _NAME.match(path.name) and os.access(path, os.X_OK)
    ]


def _version(path: Path) -> tuple[int, int] | None:
    try:
        asked = subprocess.run(
            [path, "version", "--client", "-o", "json"],
            capture_output=True, timeout=20, check=False,
        )  # fmt: skip
        text = json.loads(asked.stdout)["clientVersion"]["gitVersion"]
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        return None
    # A dispatcher runs whichever version fits the server: no version of its own to test.
    numbers = re.match(r"v(\d+)\.(\d+)", text)
    return None if not numbers or "dispatcher" in text else (int(numbers[1]), int(numbers[2]))
