"""A cluster that somebody else runs (kind, k3d, a lab), named by PLANE_E2E_KUBECONFIG."""

import shutil
import subprocess
from pathlib import Path

from cluster.build import Say
from cluster.cluster import Cluster


class GivenCluster(Cluster):
    """Used as it is: not started, not stopped; its current context must be an admin's."""

    def __init__(self, name: str, *, folder: Path, kubeconfig: Path, tell: Say) -> None:
        super().__init__(name, folder=folder, tell=tell)
        folder.mkdir(parents=True, exist_ok=True)
        self.kubeconfig = kubeconfig

    def __repr__(self) -> str:
        """Read as <GivenCluster west from /home/me/.kube/kind>."""
        return f"<GivenCluster {self.name} from {self.kubeconfig}>"

    @property
    def node(self) -> str:
        """Return real: a given cluster has nodes of its own."""
        return "real"

    def up(self) -> None:
        """Check that it answers."""
        self.kubectl("get", "--raw", "/readyz")

    def add_node(self, *, kind: str = "auto") -> None:
        """Do nothing: the nodes are there."""

    def down(self) -> None:
        """Do nothing: who started it stops it."""

    def kubectl(self, *words: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run the PATH's kubectl when there is one: the built one may be too new for this cluster."""
        program = shutil.which("kubectl")
        if program is None:
            return super().kubectl(*words, stdin=stdin, timeout=timeout)
        done = subprocess.run(
            [program, "--kubeconfig", self.kubeconfig, *words],
            input=stdin, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout
