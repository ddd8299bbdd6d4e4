"""The programs of a measurement: an upstream, nginx, the Go proxy and plane, all on 127.0.0.1."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml
from cluster import Kubectl, build
from cluster.cluster import free_ports
from cluster.paths import program
from cluster.pki import Authority
from cluster.process import Processes
from cluster.wait import wait_for
from world import Person, PlaneServer
from world.browser import Browser

HERE = Path(__file__).parent
_PASSWORD = "correct horse battery staple"
_LIST = "/api/v1/namespaces/default/pods"
_ROLE = {
    "kind": "role",
    "version": "v8",
    "metadata": {"name": "bench"},
    "spec": {
        "allow": {
            "kubernetes_labels": {"env": "bench"},
            "kubernetes_groups": ["admins"],
            "kubernetes_resources": [
                {"kind": "*", "api_group": "*", "namespace": "*", "name": "*", "verbs": ["*"]}
            ],
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that answers the load: where, with which client certificate, which process pays."""

    name: str
    base: str
    certificate: Path
    key: Path
    ca: Path
    pid: int

    def credentials(self) -> list[str]:
        """Return the arguments that follow the URL on the load's command line."""
        return [str(self.certificate), str(self.key), str(self.ca)]

    def url(self, path: str = _LIST) -> str:
        """Return the URL of a path of the API."""
        return self.base + path


class Rig:
    """Starts and stops what is measured."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.processes = Processes(folder)
        self.stand = build.build(HERE / "stand", about="the stand for measurements")
        self._authority = Authority(folder / "pki", "bench-ca")
        self._server = self._issue("server", names=("localhost", "127.0.0.1"))
        self._client = self._issue("client")
        self._ca = folder / "pki" / "ca.crt"

    def start(self) -> dict[str, Target]:
        """Start everything and return the targets by name."""
        upstream = self._start_upstream()
        targets = [upstream, self._start_goproxy(upstream), self._start_plane(upstream)]
        if nginx := _nginx():
            targets.append(self._start_nginx(nginx, upstream))
        return {target.name: target for target in targets}

    def stop(self) -> None:
        """Stop everything."""
        for name in self.processes.names():
            self.processes.stop(name)
        self.plane.stop()

    def _issue(self, name: str, *, names: tuple[str, ...] = ()) -> tuple[Path, Path]:
        return self._authority.issue(name, common=name, organization="admins", names=names)

    def _target(self, name: str, port: int, pid: int) -> Target:
        certificate, key = self._client
        return Target(
            name=name, base=f"https://127.0.0.1:{port}", certificate=certificate, key=key,
            ca=self._ca, pid=pid,
        )  # fmt: skip

    def _started(self, name: str, port: int) -> Target:
        target = self._target(name, port, self.processes.pid(name) or 0)
        wait_for(name, lambda: self._answers(target), evidence=lambda: self.processes.tail(name))
        return target

    def _answers(self, target: Target) -> bool:
        command = [str(self.stand), "requests", target.url(), *target.credentials(), "1", "1"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _start_upstream(self) -> Target:
        (port,) = free_ports(1)
        command = [str(self.stand), "upstream", f"127.0.0.1:{port}", *map(str, self._server)]
        self.processes.start("upstream", command)
        return self._started("upstream", port)

    def _start_goproxy(self, upstream: Target) -> Target:
        (port,) = free_ports(1)
        command = [str(self.stand), "goproxy", f"127.0.0.1:{port}", upstream.base]
        command += [*map(str, self._server), str(self._ca)]
        self.processes.start("goproxy", command)
        return self._started("goproxy", port)

    def _start_nginx(self, nginx: str, upstream: Target) -> Target:
        (port,) = free_ports(1)
        certificate, key = self._server
        text = (HERE / "nginx.conf").read_text()
        places = {
            "FOLDER": self.folder, "PORT": port, "UPSTREAM": upstream.base.removeprefix("https://"),
            "CERTIFICATE": certificate, "KEY": key, "CA": self._ca,
        }  # fmt: skip
        for place, value in places.items():
            text = text.replace(f"@{place}@", str(value))
        config = self.folder / "nginx.conf"
        config.write_text(text)
        self.processes.start("nginx", [nginx, "-p", self.folder, "-c", config, "-e", "stderr"])
        return self._started("nginx", port)

    def _start_plane(self, upstream: Target) -> Target:
        cluster = {"server": upstream.base, "certificate-authority": str(self._ca)}
        kubeconfig = self.folder / "kubeconfig"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "stand", "cluster": cluster}],
            "users": [{"name": "stand", "user": {"token": "unused"}}],
            "contexts": [{"name": "stand", "context": {"cluster": "stand", "user": "stand"}}],
        }
        kubeconfig.write_text(json.dumps(document))
        labels = {"stand": {"env": "bench"}}
        self.plane = PlaneServer(self.folder / "plane", kubeconfig=kubeconfig, labels=labels)
        # A thousand watches of one person are a measurement here, not an accident.
        self.plane.config["limits"] = {"requests_per_session": 5000}
        self.plane.start()
        self.person = self._person()
        certificate, key = self._credential()
        return Target(
            name="plane", base=f"{self.plane.url}/k8s/clusters/stand", certificate=certificate, key=key,
            ca=self.plane.ca_file, pid=self.plane.pid or 0,
        )  # fmt: skip

    def _person(self) -> Person:
        """Log in somebody with a role that reaches the stand."""
        kubectl = Kubectl(path=Path("kubectl"), version=(0, 0))
        admin = Person("admin", self.folder / "admin", server=self.plane, kubectl=kubectl)
        self._accept(self.plane.invite)
        admin.log_in_locally(_PASSWORD)
        admin.plane("ctl", "create", "-f", "-", stdin=yaml.safe_dump(_ROLE))
        invited = admin.plane("ctl", "users", "add", "bench", "--roles=bench")
        self._accept(next(word for word in invited.split() if "/invite/" in word))
        person = Person("bench", self.folder / "bench", server=self.plane, kubectl=kubectl)
        person.log_in_locally(_PASSWORD)
        person.plane("kube", "login", "stand")
        return person

    def _accept(self, invite: str) -> None:
        browser = Browser(answers={"password": _PASSWORD}, ca_file=self.plane.ca_file)
        assert browser.visit(invite).is_success
        browser.close()

    def _credential(self) -> tuple[Path, Path]:
        """Take the client certificate as kubectl does: from the credential plugin."""
        status = json.loads(self.person.run(*plugin(self.person)).stdout)["status"]
        certificate, key = self.folder / "person.crt", self.folder / "person.key"
        certificate.write_text(status["clientCertificateData"])
        key.touch(mode=0o600)
        key.write_text(status["clientKeyData"])
        return certificate, key


def plugin(person: Person) -> list[str]:
    """Return the command that kubectl runs for a credential, from the kubeconfig."""
    user = yaml.safe_load(person.kubeconfig.read_text())["users"][0]["user"]["exec"]
    return [user["command"], *user["args"]]


def _nginx() -> str | None:
    """Find nginx; as root on Debian, install it."""
    if (found := program("nginx")) or os.geteuid() != 0 or not (apt := program("apt-get")):
        return found
    build.say("installing nginx-light (a Debian package) ...")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (
        ["update", "-q"],
        ["install", "-y", "-q", "--no-install-recommends", "nginx-light"],
    ):
        subprocess.run([apt, *words], env=env, capture_output=True, check=False)
    return program("nginx")
