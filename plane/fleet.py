"""Turns registered clusters into routes, and asks each newcomer whether plane can work there."""

import logging
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from plane.audit.events import Event, EventType, Outcome
from plane.clock import SYSTEM, Clock
from plane.proxy.route import Route, Routes
from plane.resources.clusters import LiveClusters
from plane.resources.registered import RegisteredCluster
from plane.resources.selftest import Probe, probe
from plane.tasks import spawn
from plane.upstream.direct import Address, DirectDialer
from plane.upstream.pool import Pool
from plane.upstream.trust import client_context
from policies.model import Cluster

_log = logging.getLogger(__name__)


class Fleet:
    """Keeps `routes` equal to the live clusters; `status` says how each one is."""

    def __init__(
        self,
        clusters: LiveClusters,
        routes: Routes,
        emit: Callable[[Event], object],
        clock: Clock = SYSTEM,
    ) -> None:
        self._clusters = clusters
        self._routes = routes
        self._emit = emit
        self._clock = clock
        self._probes: dict[str, Probe] = {}
        self._seen: dict[str, RegisteredCluster] = {}

    def start(self) -> None:
        """Take up every cluster and follow changes."""
        self._clusters.on_change(self.changed)
        for cluster in self._clusters.all():
            self.changed(cluster.name)

    def changed(self, name: str) -> None:
        """A cluster was registered, changed or removed."""
        cluster = self._clusters.get(name)
        if cluster == self._seen.get(name):
            return
        self._probes.pop(name, None)
        if cluster is None:
            self._seen.pop(name, None)
            self._routes.drop(name)
            return
        self._seen[name] = cluster
        try:
            self._routes.put(_route(cluster))
        except (ssl.SSLError, ValueError, OSError) as error:
            # Fail closed: a cluster that cannot be trusted is not reached at all.
            _log.error("cluster %s is not usable: %s", name, error)
            self._routes.drop(name)
            return
        spawn(self._probe(cluster), name=f"probe {name}")

    def status(self, name: str) -> str:
        """In a word how a cluster is."""
        found = self._probes.get(name)
        return found.status if found else "unknown"

    async def _probe(self, cluster: RegisteredCluster) -> None:
        found = await probe(cluster)
        if self._seen.get(cluster.name) != cluster:
            return
        self._probes[cluster.name] = found
        _log.info("cluster %s: %s", cluster.name, found)
        now = self._clock.now()
        self._emit(
            Event(
                type=EventType.CLUSTER_REGISTER,
                audit_id=self._clock.uuid(),
                time=now,
                received=now,
                cluster=cluster.name,
                cluster_labels=cluster.labels,
                outcome=Outcome(code=503 if found.error else 200, message=found.error),
                details={"version": found.version, "uid": found.uid, "missing": [*found.missing]},
            )
        )


def _route(cluster: RegisteredCluster) -> Route:
    url = urlsplit(cluster.server)
    tls = None
    if url.scheme == "https":
        tls = client_context(
            ca_pem=cluster.ca_pem,
            certificate_pem=cluster.client_certificate_pem,
            key_pem=cluster.client_key_pem,
            insecure_skip_tls_verify=cluster.insecure_skip_tls_verify,
        )
    address = Address(
        cluster=cluster.name,
        host=url.hostname or "",
        port=url.port or (443 if tls else 80),
        tls=tls,
        server_name=cluster.tls_server_name,
        token=cluster.token or "",
        token_file=cluster.token_file,
    )
    return Route(
        cluster=Cluster(name=cluster.name, labels=cluster.labels),
        upstream=Pool(DirectDialer(address)),
    )
