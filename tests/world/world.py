"""Two clusters, a provider, a plane and its people, from nothing to the first login."""

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from cluster import Cluster, Kubectl
from cluster.build import Say, say
from cluster.given import GivenCluster

from world import orphans
from world.browser import Browser
from world.person import Person
from world.provider import Provider
from world.server import PlaneServer

LABELS: Mapping[str, Mapping[str, str]] = {"east": {"env": "prod"}, "west": {"env": "dev"}}
ADMIN_PASSWORD = "correct horse battery staple"
_ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent


class World:
    """Starts what a plane needs in one folder, and stops exactly that."""

    def __init__(self, folder: Path, *, kubectl: Kubectl, tell: Say = say) -> None:
        orphans.sweep()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.clusters = {name: _cluster(name, folder / name, tell) for name in LABELS}
        self.provider = Provider(folder)
        self.server = PlaneServer(
            folder / "server", kubeconfig=folder / "plane.kubeconfig", labels=LABELS
        )
        self._kubectl = kubectl
        self._tell = tell
        self.admin = self.person("admin")

    def person(self, name: str) -> Person:
        """Return somebody with an empty home of their own."""
        folder = self.folder / "people" / name
        return Person(name, folder, server=self.server, kubectl=self._kubectl)

    def start(self) -> None:
        """Start everything; when this returns people can log in."""
        self._note = orphans.note(self.folder)
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._start_cluster, self.clusters.values()))
        self.register()
        self.provider.start()
        self.server.start()
        self.administer()

    def stop(self) -> None:
        """Stop what `start` started, in the other order."""
        self.server.stop()
        self.provider.stop()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda cluster: cluster.down(), self.clusters.values()))
        self.forget()

    def forget(self) -> None:
        """Let it outlive this process: no later run ends it."""
        self._note.unlink(missing_ok=True)

    def register(self) -> None:
        """Let plane into the clusters with the rights of examples/rbac, and no others."""
        contexts = []
        for name, cluster in self.clusters.items():
            cluster.kubectl("apply", "-f", str(_ROOT / "examples" / "rbac" / "impersonator.yaml"))
            cluster.kubectl("apply", "-f", str(_HERE / "rbac.yaml"))
            token = cluster.kubectl("-n", "plane", "create", "token", "plane", "--duration=24h")
            contexts.append((name, cluster, token.strip()))
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": name, "cluster": _address(cluster)} for name, cluster, _ in contexts
            ],
            "users": [{"name": name, "user": {"token": token}} for name, _, token in contexts],
            "contexts": [
                {"name": name, "context": {"cluster": name, "user": name}}
                for name, _, _ in contexts
            ],
        }
        path = self.folder / "plane.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(document))

    def administer(self) -> None:
        """Use the first administrator's invite, and create roles and the provider's connector."""
        browser = Browser(answers={"password": ADMIN_PASSWORD}, ca_file=self.server.ca_file)
        page = browser.visit(self.server.invite)
        browser.close()
        assert page.is_success, page.text
        self.admin.log_in_locally(ADMIN_PASSWORD)
        self.admin.plane("ctl", "create", "-f", str(_HERE / "roles.yaml"))
        self.admin.plane("ctl", "create", "-f", "-", stdin=yaml.safe_dump(self.provider.document()))

    def _start_cluster(self, cluster: Cluster) -> None:
        self._tell(f"starting the cluster {cluster.name} ...")
        cluster.up()
        cluster.add_node()


def _cluster(name: str, folder: Path, tell: Say) -> Cluster:
    given = os.environ.get("PLANE_E2E_KUBECONFIG")
    if given and name == "west":
        return GivenCluster(name, folder=folder, kubeconfig=Path(given), tell=tell)
    return Cluster(name, folder=folder, tell=tell)


def _address(cluster: Cluster) -> dict[str, str]:
    shown = cluster.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
    return dict(json.loads(shown)["clusters"][0]["cluster"])
