"""`plane start` as a process of its own, with a configuration file, known by its URL and CA."""

import re
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import yaml
from cluster.cluster import free_ports
from cluster.process import Processes
from cluster.wait import wait_for

PLANE = Path(sys.executable).with_name("plane")


class PlaneServer:
    """One plane server; stop and start again keeps its data, its port and its certificates."""

    def __init__(
        self, folder: Path, *, kubeconfig: Path, labels: Mapping[str, Mapping[str, str]]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (port,) = free_ports(1)
        self.folder = folder
        self.data = folder / "data"
        self.url = f"https://127.0.0.1:{port}"
        self.ca_file = self.data / "ca" / "host-ca.pem"
        self.processes = Processes(folder)
        self.config: dict[str, object] = {
            "data_dir": str(self.data),
            "listen": f"127.0.0.1:{port}",
            "public_url": self.url,
            "kubernetes_service": {
                "kubeconfig_file": str(kubeconfig),
                "contexts": {name: {"labels": dict(pairs)} for name, pairs in labels.items()},
            },
        }

    def __repr__(self) -> str:
        """Read as <PlaneServer at https://127.0.0.1:33413, pid 4711>."""
        return f"<PlaneServer at {self.url}, pid {self.pid}>"

    @property
    def pid(self) -> int | None:
        """Return the pid while it runs."""
        return self.processes.pid("plane")

    @property
    def output(self) -> str:
        """Return what the server printed so far."""
        path = self.folder / "plane.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pin(self) -> str:
        """Return the fingerprint of its CA, as it printed it."""
        return str(re.findall(r"sha256:[0-9a-f]{64}", self.output)[-1])

    @property
    def invite(self) -> str:
        """Return the link for the first administrator, as it printed it."""
        return str(re.findall(r"https://\S+/invite/\S+", self.output)[-1])

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        before = len(self.output)
        (self.folder / "plane.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))
        command = [str(PLANE), "start", "--config", str(self.folder / "plane.yaml")]
        self.processes.start("plane", command)

        # It answers before it has printed its pin and its invite, which callers read.
        def ready() -> bool:
            return self._ready() and "is up at" in self.output[before:]

        wait_for("plane", ready, seconds=30, evidence=lambda: self.processes.tail("plane", 40))

    def stop(self, *, now: bool = False) -> None:
        """End it: politely, or as kill -9 does."""
        self.processes.stop("plane", now=now)

    def _ready(self) -> bool:
        self.processes.check("plane")
        if not self.ca_file.exists():
            return False
        context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", context=context, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
