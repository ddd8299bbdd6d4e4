"""The parties of one run, each a process of its own on 127.0.0.1."""

import json
from dataclasses import dataclass
from pathlib import Path

import yaml
from cluster import Kubectl, build
from cluster.build import Say, say
from cluster.cluster import free_ports
from cluster.pki import Authority
from cluster.process import Processes
from cluster.wait import wait_for
from world import Person, PlaneServer
from world.browser import Browser

from bench import nginx
from bench.wire import Identity, get

_HERE = Path(__file__).parent
_PASSWORD = "correct horse battery staple"
_CLUSTER = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody who answers for the cluster: `url` is where its API begins."""

    name: str
    url: str
    pid: int
    identity: Identity


class Stage:
    """Starts the stand-in cluster, its two plain proxies and plane; stops exactly these."""

    def __init__(self, folder: Path, *, tell: Say = say) -> None:
        self.folder = folder
        self._tell = tell
        self._processes = Processes(folder)
        self._ports = dict(zip(("stub", "goproxy", "nginx"), free_ports(3), strict=True))
        kubeconfig = folder / "kubeconfig"
        labels = {_CLUSTER: {"env": "bench"}}
        self.server = PlaneServer(folder / "server", kubeconfig=kubeconfig, labels=labels)
        nobody = Kubectl(path=Path("kubectl"), version=(0, 0))  # nobody runs kubectl here
        self.person = Person("joe", folder / "joe", server=self.server, kubectl=nobody)
        self._admin = Person("admin", folder / "admin", server=self.server, kubectl=nobody)

    def start(self) -> None:
        """Start everything; when this returns all of them answer."""
        self.program = build.build(_HERE / "peers", about="the bench's Go program")
        authority = Authority(self.folder / "pki", "bench")
        names = ("localhost", "127.0.0.1")
        certificate, key = authority.issue("server", common="server", names=names)
        authority.issue("client", common="joe", organization="developers")
        ca = str(self.folder / "pki" / "ca.crt")
        self._plain = Identity(
            ca=Path(ca),
            certificate=self.folder / "pki" / "client.crt",
            key=self.folder / "pki" / "client.key",
        )
        stub, pair = self._url("stub"), [certificate, key]
        self._run("stub", "stub", str(self._ports["stub"]), *pair)
        self._run("goproxy", "proxy", str(self._ports["goproxy"]), stub, *pair, ca)
        if program := nginx.find(self._tell):
            config = nginx.configure(
                self.folder, upstream=self._ports["stub"], port=self._ports["nginx"]
            )
            self._processes.start("nginx", [program, "-p", self.folder, "-c", config])
        self._register(Path(ca))
        self._start_plane()
        self._log_in()
        for party in self.parties():
            wait_for(party.name, lambda party=party: get(party).ok, seconds=15)  # type: ignore[misc]

    def stop(self) -> None:
        """Stop what `start` started."""
        self.server.stop()
        for name in self._processes.names():
            self._processes.stop(name)

    def parties(self) -> list[Party]:
        """Return those who proxy, plane last; nginx only where there is one."""
        found = []
        if self._processes.pid("nginx"):
            found.append(self._party("nginx"))
        return [*found, self._party("goproxy"), self.plane]

    @property
    def direct(self) -> Party:
        """Return the cluster itself."""
        return self._party("stub")

    @property
    def plane(self) -> Party:
        """Return plane as it runs now: with mutual TLS, a role, impersonation and audit."""
        pid = self.server.pid
        assert pid is not None
        url = f"{self.server.url}/k8s/clusters/{_CLUSTER}"
        return Party(name="plane", url=url, pid=pid, identity=self._joe)

    def restart_plane(self) -> None:
        """Begin with a fresh process, so that memory is not what another figure left behind."""
        self.server.stop()
        self._start_plane()

    def _start_plane(self) -> None:
        # Plane asks the cluster for its rights a moment after it is ready, and the library that it
        # asks with takes 30 MB: it must be there before anything else is weighed.
        asked = self._asked()
        self.server.start()
        wait_for("the cluster's registration", lambda: self._asked() > asked, seconds=30)

    def _asked(self) -> int:
        log = self.folder / "server" / "plane.log"
        return log.read_text().count(f"plane.fleet: cluster {_CLUSTER}:") if log.exists() else 0

    def _party(self, name: str) -> Party:
        pid = self._processes.pid(name)
        assert pid is not None
        return Party(name=name, url=self._url(name), pid=pid, identity=self._plain)

    def _url(self, name: str) -> str:
        return f"https://127.0.0.1:{self._ports[name]}"

    def _run(self, name: str, *arguments: str | Path) -> None:
        self._processes.start(name, [self.program, *arguments])

    def _register(self, ca: Path) -> None:
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": _CLUSTER,
                    "cluster": {"server": self._url("stub"), "certificate-authority": str(ca)},
                }
            ],
            "users": [{"name": _CLUSTER, "user": {"token": "a-service-account-of-plane"}}],
            "contexts": [{"name": _CLUSTER, "context": {"cluster": _CLUSTER, "user": _CLUSTER}}],
        }
        (self.folder / "kubeconfig").write_text(json.dumps(document))

    def _log_in(self) -> None:
        self._invited(self._admin, self.server.invite)
        self._admin.plane("ctl", "create", "-f", str(_HERE / "role.yaml"))
        words = ("ctl", "users", "add", "joe", "--roles=bench", "--k8s-groups=team-a,team-b")
        shown = self._admin.plane(*words, "-o", "yaml")
        self._invited(self.person, yaml.safe_load(shown)["invite"])
        (profile,) = (self.person.folder / "plane" / "state" / "profiles").glob("*.json")
        self._joe = self._certified(profile)

    def _invited(self, person: Person, invite: str) -> None:
        browser = Browser(answers={"password": _PASSWORD}, ca_file=self.server.ca_file)
        page = browser.visit(invite)
        browser.close()
        assert page.is_success, page.text
        person.log_in_locally(_PASSWORD)

    def _certified(self, profile: Path) -> Identity:
        """Write the certificate that kubectl would get from `plane kube credentials` as files."""
        status = json.loads(profile.read_text())["exec"]["status"]
        certificate, key = self.folder / "joe.crt", self.folder / "joe.key"
        key.touch(mode=0o600)
        certificate.write_text(status["clientCertificateData"])
        key.write_text(status["clientKeyData"])
        return Identity(ca=self.server.ca_file, certificate=certificate, key=key)
