"""Asks a cluster, when it is registered, whether plane can work there, and says what is missing.

The rights are asked for with SelfSubjectAccessReviews, which every authenticated client may send:
https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plane.resources.registered import RegisteredCluster

if TYPE_CHECKING:
    from kubernetes_asyncio.client import ApiClient

_log = logging.getLogger(__name__)
DEADLINE_SECONDS = 10.0
MANIFEST = "examples/rbac/impersonator.yaml"
# What impersonation needs: the verb `impersonate` on these (core group).
_IMPERSONATED = ("users", "groups", "serviceaccounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a cluster answered; `error` empty: it was reached, `missing` names rights."""

    cluster: str
    version: str = ""
    uid: str = ""
    missing: tuple[str, ...] = ()
    error: str = ""

    @property
    def status(self) -> str:
        """In a word, for `plane kube ls`."""
        if self.error:
            return "unreachable"
        return "missing-rights" if self.missing else "ok"

    def __str__(self) -> str:
        if self.error:
            return f"cluster {self.cluster}: {self.error}"
        if self.missing:
            return (
                f"cluster {self.cluster} ({self.version}): plane may not "
                f"{', '.join(self.missing)}; grant it on the cluster with: "
                f"kubectl apply -f {MANIFEST} (its subject must be plane's identity there)"
            )
        return f"cluster {self.cluster} ({self.version}): plane has the rights it needs"


async def probe(cluster: RegisteredCluster, *, deadline_seconds: float = DEADLINE_SECONDS) -> Probe:
    """Ask; never raises for what the cluster does, the Probe says it."""
    # 0.3 s of imports: only when a cluster is registered, and not in the event loop.
    await asyncio.to_thread(__import__, "kubernetes_asyncio.client")
    try:
        async with asyncio.timeout(deadline_seconds), _client(cluster) as client:
            return await _ask(cluster.name, client)
    except TimeoutError:
        return Probe(cluster=cluster.name, error=f"no answer within {deadline_seconds:.0f} s")
    except Exception as error:  # noqa: BLE001 - aiohttp, ssl and the API client have no common root
        _log.info("cluster %s: %r", cluster.name, error)
        return Probe(cluster=cluster.name, error=_why(error))


async def _ask(name: str, client: "ApiClient") -> Probe:
    from kubernetes_asyncio.client import AuthorizationV1Api, VersionApi

    version = await VersionApi(client).get_code()
    reviews = AuthorizationV1Api(client)
    missing = [
        f"impersonate {resource}"
        for resource in _IMPERSONATED
        if not await _allowed(reviews, verb="impersonate", resource=resource)
    ]
    uid = ""
    if await _allowed(reviews, verb="get", resource="namespaces", name="kube-system"):
        uid = await _uid(client)
    else:
        missing.append("get namespaces/kube-system")
    return Probe(cluster=name, version=version.git_version, uid=uid, missing=tuple(missing))


async def _allowed(reviews: Any, **attributes: str) -> bool:
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    review = await reviews.create_self_subject_access_review(body)
    return bool(review.status.allowed)


async def _uid(client: "ApiClient") -> str:
    """The one thing of a cluster that never changes and no other cluster has."""
    from kubernetes_asyncio.client import CoreV1Api

    namespace = await CoreV1Api(client).read_namespace("kube-system")
    return str(namespace.metadata.uid)


@asynccontextmanager
async def _client(cluster: RegisteredCluster) -> AsyncIterator["ApiClient"]:
    from kubernetes_asyncio.client import ApiClient, Configuration

    configuration = Configuration(host=cluster.server.rstrip("/"))
    configuration.retries = None
    configuration.verify_ssl = not cluster.insecure_skip_tls_verify
    configuration.tls_server_name = cluster.tls_server_name
    # Cluster CAs made by older tools lack the extensions that Python 3.13 asks for by default.
    configuration.disable_strict_ssl_verification = True
    token = await asyncio.to_thread(cluster.bearer)
    with _files(cluster) as files:
        configuration.ssl_ca_cert = files.get("ca_pem")
        configuration.cert_file = files.get("client_certificate_pem")
        configuration.key_file = files.get("client_key_pem")
        client = ApiClient(configuration)
    async with client:
        if token:
            # As a default header: the generated client would ask for /version without credential.
            client.set_default_header("Authorization", f"Bearer {token}")
        yield client


@contextmanager
def _files(cluster: RegisteredCluster) -> Iterator[dict[str, str]]:
    """The PEM texts as files, which Python's ssl module insists on; gone when they are read."""
    with tempfile.TemporaryDirectory(prefix="plane-") as folder:  # made 0700
        paths = {}
        for field in ("ca_pem", "client_certificate_pem", "client_key_pem"):
            text = getattr(cluster, field)
            if text:
                path = Path(folder) / field
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                    file.write(text)
                paths[field] = str(path)
        yield paths


def _why(error: Exception) -> str:
    code = getattr(error, "status", None)
    if code in (401, 403):
        return f"it refuses plane's credential (HTTP {code})"
    if isinstance(code, int) and code:
        return f"it answered HTTP {code}"
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted: check the CA and tls-server-name"
    if isinstance(error, OSError):
        return f"it cannot be reached: {text}"
    return "it did not answer as Kubernetes does"
