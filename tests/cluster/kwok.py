"""A played node for machines without root: kwok answers for the kubelet.

exec, attach, logs and port-forward work on processes of this machine, in a folder of their
own; what a real node does and kwok does not: exec's exit status (it is always success).
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

# The log format of container runtimes, which kwok parses.
_LOG = "2026-01-01T00:00:00.000000000Z stdout F this pod is played by kwok\n"

if TYPE_CHECKING:
    from cluster.cluster import Cluster


def start(cluster: "Cluster", programs: Path, name: str) -> None:
    """Start kwok and make the node it answers for; returns before the node is ready."""
    from cluster.cluster import free_ports

    folder = cluster.folder
    (port,) = free_ports(1)
    (folder / "pods").mkdir(exist_ok=True)
    (folder / "pods" / "log").write_text(_LOG)
    certificate, key = cluster.issue(
        "kubelet", common=f"system:node:{name}", names=(name, "127.0.0.1")
    )
    config = folder / "kwok.yaml"
    config.write_text("\n---\n".join(json.dumps(each) for each in _config(folder)))
    command = [
        f"{programs}/kwok",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--config={config}",
        "--manage-all-nodes=true",
        "--node-ip=127.0.0.1",
        f"--node-port={port}",
        f"--server-address=127.0.0.1:{port}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
    ]
    cluster.processes.start("kwok", command)
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    cluster.ask("/api/v1/nodes", body=node)


def _config(folder: Path) -> list[dict[str, object]]:
    everything = {
        "ClusterExec": {"execs": [{"local": {"workDir": str(folder / "pods")}}]},
        "ClusterLogs": {"logs": [{"logsFile": str(folder / "pods" / "log"), "follow": True}]},
        "ClusterAttach": {"attaches": [{"logsFile": str(folder / "pods" / "log")}]},
        # No target: a port of the pod is the same port of this machine.
        "ClusterPortForward": {"forwards": [{"command": ["nc", "127.0.0.1", "${PORT}"]}]},
    }
    return [
        {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": "all"},
            "spec": spec,
        }
        for kind, spec in everything.items()
    ]
