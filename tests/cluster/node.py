"""A real node: kubelet, containerd and runc of its own for one cluster. Needs root on Linux.

Every node has its own containerd, bridge (plane0, plane1, ...) and pod network 10.89.N.0/24,
so several clusters have one at the same time. Pods reach this machine at 10.89.N.1.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cluster import image
from cluster.build import Say
from cluster.paths import program
from cluster.wait import wait_for

if TYPE_CHECKING:
    from cluster.cluster import Cluster

_PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr", "runc", "ip")
_PACKAGES = ("containerd", "runc", "containernetworking-plugins", "busybox-static", "iproute2")
_PLUGINS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
_NAMESPACE = "k8s.io"


class NoRealNodeError(Exception):
    """A real node was asked for and this machine cannot have one."""


def missing(*, tell: Say) -> str:
    """Return why there can be no real node here, "" when there can; installs Debian's packages."""
    if sys.platform != "linux":
        return "this is not Linux"
    if os.geteuid() != 0:
        return "not root"
    if _absent() and (apt := program("apt-get")):
        tell(f"installing {' '.join(_PACKAGES)} (Debian packages) ...")
        _install(apt)
    if absent := _absent():
        return f"no {', '.join(absent)}"
    return _no_bridge()


def _absent() -> list[str]:
    absent = [name for name in _PROGRAMS if program(name) is None]
    if not _plugins():
        absent.append("CNI plugins")
    if image.static_busybox() is None:
        absent.append("static busybox")
    return absent


def _install(apt: str) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = [apt, "install", "-y", "-q", "--no-install-recommends", *_PACKAGES]
    for command in (install, [apt, "update", "-q"], install):
        if subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0 and (
            command is install
        ):
            return


def _plugins() -> Path | None:
    return next((folder for folder in _PLUGINS if (folder / "bridge").exists()), None)


def _no_bridge() -> str:
    # Root in a container often lacks NET_ADMIN: try rather than guess.
    if _ip("link", "add", "name", "planeprobe", "type", "bridge"):
        _ip("link", "del", "planeprobe")
        return ""
    return "may not make network bridges"


def start(cluster: "Cluster", programs: Path, name: str) -> None:
    """Start containerd, load the images and start the kubelet; returns before the node is ready."""
    folder = cluster.folder
    bridge, subnet = _make_bridge()
    (folder / "bridge").write_text(bridge)
    _start_containerd(cluster, bridge, subnet)
    address = f"{subnet}.1"
    node = f"system:node:{name}"
    cluster.issue("kubelet", common=node, organization="system:nodes", names=(name, address))
    cluster.write_kubeconfig("kubelet")
    (folder / "kubelet.yaml").write_text(json.dumps(_kubelet(folder, address, _port(address))))
    command = [
        f"{programs}/kubelet",
        f"--config={folder}/kubelet.yaml",
        f"--kubeconfig={folder}/kubelet.kubeconfig",
        f"--hostname-override={name}",
        f"--node-ip={address}",
        f"--root-dir={folder}/kubelet",
    ]
    cluster.processes.start("kubelet", command)


def stop(cluster: "Cluster") -> None:
    """Kill the pods, end containerd, and take mounts, network namespaces and the bridge away."""
    folder = cluster.folder
    if not (folder / "bridge").exists():
        return
    networks = _end_tasks(folder / "containerd") if cluster.processes.pid("containerd") else set()
    cluster.processes.stop("containerd")
    for mount in [*_mounts_under(folder), *networks]:
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
    for network in networks:
        Path(network).unlink(missing_ok=True)
    _ip("link", "del", (folder / "bridge").read_text())
    (folder / "bridge").unlink()


def _make_bridge() -> tuple[str, str]:
    for number in range(200):
        bridge, subnet = f"plane{number}", f"10.89.{number}"
        # Making the bridge is the reservation: it fails when another run has it.
        if _ip("link", "add", "name", bridge, "type", "bridge"):
            _ip("addr", "add", f"{subnet}.1/24", "dev", bridge)
            _ip("link", "set", bridge, "up")
            return bridge, subnet
    raise NoRealNodeError("no free bridge name; look for old ones with: ip link show type bridge")


def _start_containerd(cluster: "Cluster", bridge: str, subnet: str) -> None:
    home = cluster.folder / "containerd"
    (home / "cni").mkdir(parents=True)
    (home / "config.toml").write_text(_containerd(home))
    network = {
        "cniVersion": "0.4.0",
        "name": bridge,
        "plugins": [
            {
                "type": "bridge",
                "bridge": bridge,
                "isGateway": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(home / "addresses"),
                    "ranges": [[{"subnet": f"{subnet}.0/24"}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }
    (home / "cni" / "10-bridge.conflist").write_text(json.dumps(network))
    # The shim and runc are looked up in PATH, which lacks sbin for some users.
    path = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
    containerd = program("containerd") or "containerd"
    cluster.processes.start(
        "containerd", [containerd, "-c", home / "config.toml"], env={"PATH": path}
    )
    wait_for(
        "containerd",
        lambda: _ctr(home, "version") is not None,
        seconds=30,
        evidence=lambda: cluster.processes.tail("containerd"),
    )
    for archive in image.write(home):
        if _ctr(home, "images", "import", str(archive)) is None:
            raise NoRealNodeError(f"containerd does not take {archive}")


def _containerd(home: Path) -> str:
    # restrict_oom_score_adj: a machine without CAP_SYS_RESOURCE may not lower OOM scores.
    return f"""
version = 2
root = "{home}/root"
state = "{home}/state"
[grpc]
  address = "{home}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image.PAUSE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{_plugins()}"
    conf_dir = "{home}/cni"
"""


def _kubelet(folder: Path, address: str, port: int) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        # Kubelets that share /var/log/pods delete each other's logs as orphans.
        "podLogsDir": f"{folder}/pod-logs",
        "kind": "KubeletConfiguration",
        "address": address,
        "port": port,
        "readOnlyPort": 0,
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": f"{folder}/pki/ca.crt"},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "tlsCertFile": f"{folder}/pki/kubelet.crt",
        "tlsPrivateKeyFile": f"{folder}/pki/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{folder}/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        # Machines with hybrid cgroups, and those where this shell may not make cgroups at the top.
        "failCgroupV1": False,
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "localStorageCapacityIsolation": False,
        # Pods see status changes at once instead of after the usual ten seconds.
        "syncFrequency": "2s",
        "evictionHard": {
            "imagefs.available": "1%",
            "memory.available": "50Mi",
            "nodefs.available": "1%",
        },
    }


def _end_tasks(home: Path) -> set[str]:
    """Kill every container and return the network namespaces that they were in."""
    networks: set[str] = set()
    for container in (_ctr(home, "containers", "ls", "-q") or "").split():
        about = json.loads(_ctr(home, "containers", "info", container) or "{}")
        for namespace in about.get("Spec", {}).get("linux", {}).get("namespaces", []):
            if namespace["type"] == "network" and namespace.get("path", "").startswith(
                "/var/run/netns"
            ):
                networks.add(namespace["path"])
        _ctr(home, "tasks", "delete", "--force", container)
        _ctr(home, "containers", "delete", container)
    return networks


def _mounts_under(folder: Path) -> Iterable[str]:
    table = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [re.sub(r"\\040", " ", line.split()[4]) for line in table]
    return sorted((point for point in points if point.startswith(f"{folder}/")), reverse=True)


def _ctr(home: Path, *words: str) -> str | None:
    command = [program("ctr") or "ctr", "-a", f"{home}/containerd.sock", "-n", _NAMESPACE, *words]
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout if done.returncode == 0 else None
    return None


def _ip(*words: str) -> bool:
    command = [program("ip") or "ip", *words]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _port(address: str) -> int:
    with socket.create_server((address, 0)) as listener:
        return int(listener.getsockname()[1])
