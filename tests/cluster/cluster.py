"""One Kubernetes on free ports of this machine: up, ask, down. The node is in node.py and kwok.py."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster import build, kwok, node
from cluster.build import Say, say
from cluster.paths import clusters
from cluster.pki import Authority, write_key
from cluster.process import Processes
from cluster.wait import wait_for

_HOST = "127.0.0.1"
# In this order: what talks goes before what it talks to.
_PARTS = ("kubelet", "kwok", "scheduler", "controllers", "apiserver", "etcd")


class Cluster:
    """A real Kubernetes: etcd, kube-apiserver, controllers, scheduler and one node."""

    def __init__(self, name: str, *, folder: Path | None = None, tell: Say = say) -> None:
        self.name = name
        self.folder = folder or clusters() / name
        self.kubeconfig = self.folder / "admin.kubeconfig"
        self.processes = Processes(self.folder)
        self._tell = tell
        self._tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        """Read as <Cluster west at https://127.0.0.1:36213, node: real>."""
        where = f" at {self.server}" if self.running else " (down)"
        return f"<Cluster {self.name}{where}, node: {self.node}>"

    @property
    def running(self) -> bool:
        """Say whether the API server's process is alive."""
        return self.processes.pid("apiserver") is not None

    @property
    def server(self) -> str:
        """Return the URL of the API server."""
        return (self.folder / "server").read_text()

    @property
    def node(self) -> str:
        """Return what the node is: real, kwok or none."""
        path = self.folder / "node"
        return path.read_text() if path.exists() else "none"

    def up(self) -> None:
        """Start the control plane, empty and with new keys, and wait until it answers."""
        programs = build.kubernetes(tell=self._tell)
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)
        (self.folder / "owner").write_text(str(os.getpid()))
        api, etcd, peer = free_ports(3)
        (self.folder / "server").write_text(f"https://{_HOST}:{api}")
        self._credentials()
        self.processes.start("etcd", _etcd(programs, self.folder, etcd, peer))
        self.processes.start("apiserver", _apiserver(programs, self.folder, api, etcd))
        self._wait("apiserver", lambda: self.ask("/readyz") is not None)
        self.processes.start("controllers", _controllers(programs, self.folder))
        self.processes.start("scheduler", _scheduler(programs, self.folder))
        # No pod can be made before the namespace has its default service account.
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self._wait("controllers", lambda: self.ask(account) is not None)

    def add_node(self, *, kind: str = "auto") -> None:
        """Give the cluster a node: `real` (root on Linux), `kwok`, or the best that this machine can do."""
        if kind == "auto":
            kind = os.environ.get("PLANE_NODE", "auto")
        missing = node.missing(tell=self._tell) if kind != "kwok" else ""
        if kind == "real" and missing:
            raise node.NoRealNodeError(missing)
        if kind == "auto" and missing:
            self._tell(
                f"no real node here ({missing}): kwok plays the node, without exec's exit status"
            )
        kind = "kwok" if kind == "kwok" or missing else "real"
        programs, name = build.kubernetes(tell=self._tell), f"{self.name}-node"
        (self.folder / "node").write_text(kind)
        if kind == "real":
            node.start(self, programs, name)
        else:
            kwok.start(self, programs, name)
        self._wait("kubelet" if kind == "real" else "kwok", lambda: self._node_ready(name))

    def down(self) -> None:
        """Stop every process of this cluster and undo what its node did to this machine."""
        # The kubelet first, or it would start again what is being stopped.
        self.processes.stop("kubelet", now=True)
        node.stop(self)
        for part in _PARTS:
            # Nothing of a throw-away cluster is worth a polite end that takes seconds.
            self.processes.stop(part, now=True)

    def remove(self) -> None:
        """Stop the cluster and delete its files, logs included."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kubectl(self, *words: str, stdin: str | None = None, timeout: float = 60) -> str:
        """Run the built kubectl as the cluster's admin and return what it printed."""
        program = build.kubernetes(tell=self._tell) / "kubectl"
        done = subprocess.run(
            [program, "--kubeconfig", self.kubeconfig, *words],
            input=stdin, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"kubectl {' '.join(words)}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def ask(self, path: str, *, body: object = None) -> Any:
        """GET (or POST `body` to) the API server as admin; None when it cannot answer or refuses."""
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=str(self.folder / "pki" / "ca.crt"))
            self._tls.load_cert_chain(*self._pair("admin"))
        request = urllib.request.Request(
            self.server + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=5) as answer:
                text = answer.read()
        except OSError:
            return None
        return json.loads(text) if text[:1] == b"{" else text.decode()

    def issue(
        self, name: str, *, common: str, organization: str = "", names: Sequence[str] = ()
    ) -> tuple[Path, Path]:
        """Sign a certificate with this cluster's CA and return the paths of it and of its key."""
        return self._ca.issue(name, common=common, organization=organization, names=names)

    def write_kubeconfig(self, name: str) -> Path:
        """Write NAME.kubeconfig for a certificate of this cluster's CA."""
        certificate, key = self._pair(name)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.name,
            "clusters": [
                {
                    "name": self.name,
                    "cluster": {
                        "server": self.server,
                        "certificate-authority": str(self.folder / "pki" / "ca.crt"),
                    },
                }
            ],
            "users": [
                {
                    "name": name,
                    "user": {"client-certificate": str(certificate), "client-key": str(key)},
                }
            ],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": name}}],
        }
        path = self.folder / f"{name}.kubeconfig"
        path.touch(mode=0o600)
        # JSON is YAML: no library needed to write it.
        path.write_text(json.dumps(document, indent=1))
        return path

    def _credentials(self) -> None:
        self._tls = None
        pki = self.folder / "pki"
        self._ca = Authority(pki, f"{self.name}-ca")
        write_key(pki / "service-account.key")
        names = ("localhost", "kubernetes", "kubernetes.default.svc", _HOST, "10.96.0.1")
        self.issue("apiserver", common="kube-apiserver", names=names)
        self.issue("kubelet-client", common="kubelet-client", organization="system:masters")
        self.issue("admin", common="admin", organization="system:masters")
        self.issue("controllers", common="system:kube-controller-manager")
        self.issue("scheduler", common="system:kube-scheduler")
        for user in ("admin", "controllers", "scheduler"):
            self.write_kubeconfig(user)

    def _pair(self, name: str) -> tuple[Path, Path]:
        return self.folder / "pki" / f"{name}.crt", self.folder / "pki" / f"{name}.key"

    def _node_ready(self, name: str) -> bool:
        found = self.ask(f"/api/v1/nodes/{name}")
        if not isinstance(found, dict) or found["spec"].get("taints"):
            return False
        conditions = found.get("status", {}).get("conditions", [])
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def _wait(self, part: str, ready: Any) -> None:
        def check() -> bool:
            self.processes.check(part)
            return bool(ready())

        wait_for(
            f"{part} of cluster {self.name}",
            check, seconds=120, evidence=lambda: self.processes.tail(part),
        )  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on; they are held together, so they differ."""
    with_sockets = [socket.create_server((_HOST, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in with_sockets]
    for each in with_sockets:
        each.close()
    return ports


def _etcd(programs: Path, folder: Path, port: int, peer: int) -> list[str]:
    client, peers = f"http://{_HOST}:{port}", f"http://{_HOST}:{peer}"
    return [
        f"{programs}/etcd",
        f"--data-dir={folder}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        # Nobody needs this data after a power cut.
        "--unsafe-no-fsync",
    ]


def _apiserver(programs: Path, folder: Path, port: int, etcd: int) -> list[str]:
    pki = folder / "pki"
    return [
        f"{programs}/kube-apiserver",
        f"--etcd-servers=http://{_HOST}:{etcd}",
        f"--bind-address={_HOST}",
        f"--secure-port={port}",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.key",
        f"--service-account-signing-key-file={pki}/service-account.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
        # Load tests must meet plane's limits, not the API server's.
        "--max-requests-inflight=4000",
        "--max-mutating-requests-inflight=2000",
    ]


def _controllers(programs: Path, folder: Path) -> list[str]:
    return [
        f"{programs}/kube-controller-manager",
        f"--kubeconfig={folder}/controllers.kubeconfig",
        "--secure-port=0",
        "--leader-elect=false",
        f"--service-account-private-key-file={folder}/pki/service-account.key",
        f"--root-ca-file={folder}/pki/ca.crt",
        "--use-service-account-credentials",
    ]


def _scheduler(programs: Path, folder: Path) -> list[str]:
    return [
        f"{programs}/kube-scheduler",
        f"--kubeconfig={folder}/scheduler.kubeconfig",
        "--secure-port=0",
        "--leader-elect=false",
    ]
