"""The registered clusters in memory: those of the configuration and those of documents.

The kubeconfig file is read again when it or a file it names changes. A name in the configuration
wins over a document of the same name, which is logged.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from plane import tasks
from plane.errors import Invalid, Problem
from plane.resources import kubeconfig, yaml
from plane.resources.fields import Faults
from plane.resources.live import Live
from plane.resources.registered import CLUSTER_NAME, Origin, RegisteredCluster
from plane.resources.service import Resources
from plane.store.base import Document, Store

_log = logging.getLogger(__name__)
RELOAD_SECONDS = 5.0
POD_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """What the configuration says about one context: labels, and another name."""

    labels: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The clusters of the configuration; a context's own labels win over `labels`.

    `pod_name` is the name of the cluster that plane runs inside of, where it does.
    """

    kubeconfig_file: Path | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, ContextSettings] = field(default_factory=dict)
    pod_name: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


class LiveClusters:
    """Clusters by name; `start` loads them and follows store and file."""

    def __init__(self, store: Store, resources: Resources, configured: Configured) -> None:
        def parse(document: Document) -> RegisteredCluster:
            spec = resources.parse(document).spec
            assert isinstance(spec, RegisteredCluster)
            return spec

        self._configured = configured
        self._static: dict[str, RegisteredCluster] = {}
        self._live = Live(store, "cluster", parse)
        self._live.on_change(self._document_changed)
        self._callbacks: list[Callable[[str], None]] = []
        self._task: asyncio.Task[None] | None = None
        self.refused: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"<LiveClusters {len(self._static)} configured, {self._live!r}>"

    def get(self, name: str) -> RegisteredCluster | None:
        """The cluster, or None."""
        return self._static.get(name) or self._live.values.get(name)

    def all(self) -> list[RegisteredCluster]:
        """Every cluster, by name."""
        merged = {**self._live.values, **self._static}
        return [merged[name] for name in sorted(merged)]

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the cluster's name after it was added, changed or removed."""
        self._callbacks.append(callback)

    async def start(self) -> None:
        """Load everything; Invalid when the kubeconfig cannot be read at all."""
        self._static, self.refused = await asyncio.to_thread(_load, self._configured)
        for name, reason in self.refused.items():
            _log.warning("context %r is not registered: %s", name, reason)
        for name in self._static:
            self._tell(name)
        await self._live.start()
        if self._configured.kubeconfig_file is not None:
            self._task = tasks.spawn(self._reload_forever(), name="clusters.kubeconfig")

    async def close(self) -> None:
        """Stop following."""
        await self._live.close()
        if self._task is not None:
            await tasks.cancel(self._task)

    async def reload(self) -> None:
        """Read the kubeconfig again; when it cannot be read, what was known stays."""
        try:
            static, refused = await asyncio.to_thread(_load, self._configured)
        except Invalid as error:
            _log.error("the kubeconfig is kept as it was: %s %s", error, error.problems)
            return
        before, self._static, self.refused = self._static, static, refused
        for name in sorted(before.keys() | static.keys()):
            if before.get(name) != static.get(name):
                self._tell(name)

    async def _reload_forever(self) -> None:
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            await self.reload()

    def _document_changed(self, name: str) -> None:
        if name in self._static:
            _log.warning("cluster %r of a document is hidden by the configuration's own", name)
            return
        self._tell(name)

    def _tell(self, name: str) -> None:
        for callback in self._callbacks:
            callback(name)


def _load(configured: Configured) -> tuple[dict[str, RegisteredCluster], dict[str, str]]:
    clusters: dict[str, RegisteredCluster] = {}
    refused: dict[str, str] = {}
    if configured.kubeconfig_file is not None:
        read = _read(configured.kubeconfig_file)
        refused.update(read.refused)
        missing = configured.contexts.keys() - read.clusters.keys() - read.refused.keys()
        refused.update(dict.fromkeys(missing, "the kubeconfig has no such context"))
        for context, cluster in read.clusters.items():
            settings = configured.contexts.get(context, ContextSettings())
            name = settings.name or context
            if not CLUSTER_NAME.fullmatch(name):
                refused[context] = (
                    f"the name {name!r} cannot stand in a path: give it another with "
                    f"kubernetes_service.contexts[{context!r}].name"
                )
            elif name in clusters:
                refused[context] = f"the name {name!r} is taken by another context"
            else:
                labels = {**configured.labels, **settings.labels}
                clusters[name] = replace(cluster, name=name, labels=labels)
    pod = _pod(configured)
    if pod is not None:
        clusters.setdefault(pod.name, pod)
    return clusters, refused


def _read(path: Path) -> kubeconfig.Kubeconfig:
    try:
        documents = yaml.read(path.read_text())
        value = documents[0].value if documents else None
        return kubeconfig.parse(value, folder=path.parent, origin=Origin.FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the kubeconfig {path} cannot be read: {error}") from error
    except Invalid as error:
        raise Invalid(f"{path}: {error.message}", problems=error.problems) from error
    except Faults as error:
        problems = tuple(Problem(message=text, path=at) for at, text in error.problems)
        raise Invalid(f"{path} is not a kubeconfig", problems=problems) from error


def _pod(configured: Configured) -> RegisteredCluster | None:
    """The cluster around us, as client-go's rest.InClusterConfig finds it."""
    host = configured.environment.get("KUBERNETES_SERVICE_HOST")
    if configured.pod_name is None or not host:
        return None
    port = configured.environment.get("KUBERNETES_SERVICE_PORT", "443")
    address = f"[{host}]" if ":" in host else host
    try:
        ca_pem = (POD_FOLDER / "ca.crt").read_text()
    except OSError as error:
        raise Invalid(f"the service account of this pod cannot be read: {error}") from error
    return RegisteredCluster(
        name=configured.pod_name,
        labels=configured.labels,
        server=f"https://{address}:{port}",
        ca_pem=ca_pem,
        token_file=POD_FOLDER / "token",
        origin=Origin.POD,
    )
