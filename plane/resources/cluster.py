"""kind: cluster (Teleport's kube_cluster too) — a Kubernetes cluster and plane's credential for it.

The credential is in the document itself: a path would let whoever may create clusters read any
file of the server and send it wherever they like.
"""

import base64
import binascii
import contextlib
from dataclasses import replace

from plane.errors import Invalid
from plane.resources import kubeconfig, yaml
from plane.resources.fields import Faults, Fields
from plane.resources.kind import Body, Kind, Parsed
from plane.resources.registered import (
    CLUSTER_NAME,
    CLUSTER_NAME_RULE,
    Origin,
    RegisteredCluster,
    faults,
    pem,
)

_CLOUDS = ("aws", "azure", "gcp")
_DIRECT = (
    "server", "ca", "token", "client_certificate", "client_key", "tls_server_name",
    "insecure_skip_tls_verify",
)  # fmt: skip
_FIELD_NAMES = {
    "ca_pem": "ca",
    "client_certificate_pem": "client_certificate",
    "client_key_pem": "client_key",
}


def parse(body: Body) -> Parsed:
    """Read a cluster document; the spec is a RegisteredCluster."""
    problems = Faults()
    metadata = Fields(body.get("metadata"), "metadata", problems)
    spec = Fields(body.get("spec"), "spec", problems)
    name, labels = metadata.text("name"), metadata.labels("labels")
    if not CLUSTER_NAME.fullmatch(name):
        metadata.fault("name", CLUSTER_NAME_RULE)
    for key in _CLOUDS:
        if spec.raw(key) is not None:
            spec.fault(key, "clouds are not asked for credentials: give spec.kubeconfig")
    if spec.raw("dynamic_labels") is not None:
        spec.fault("dynamic_labels", "labels of a document are static: use metadata.labels")
    read = _from_kubeconfig if "kubeconfig" in spec else _direct
    cluster = read(spec, problems)
    spec.done()
    problems.check()
    return Parsed(spec=_named(cluster, name, labels), warnings=_warnings(cluster))


def _direct(spec: Fields, problems: Faults) -> RegisteredCluster:
    if "context" in spec:
        spec.fault("context", "belongs to spec.kubeconfig, which is not there")
    spec.raw("context")
    cluster = RegisteredCluster(
        name="",
        server=spec.text("server", required=True),
        ca_pem=_pem(spec, "ca"),
        client_certificate_pem=_pem(spec, "client_certificate"),
        client_key_pem=_pem(spec, "client_key"),
        token=spec.text("token") or None,
        tls_server_name=spec.text("tls_server_name") or None,
        insecure_skip_tls_verify=spec.flag("insecure_skip_tls_verify"),
        origin=Origin.RESOURCE,
    )
    if not problems.problems:
        for field, message in faults(cluster):
            spec.fault(_FIELD_NAMES.get(field, field), message)
    return cluster


def _from_kubeconfig(spec: Fields, problems: Faults) -> RegisteredCluster:
    for key in _DIRECT:
        if spec.raw(key) is not None:
            spec.fault(key, "is in spec.kubeconfig already: give one or the other")
    wanted = spec.text("context")
    read = _contexts(spec)
    problems.check()
    assert read is not None
    everything = [*read.clusters, *read.refused]
    chosen = wanted or read.current or (everything[0] if len(everything) == 1 else "")
    if chosen in read.refused:
        spec.fault("kubeconfig", f"context {chosen!r}: {read.refused[chosen]}")
    elif chosen not in read.clusters:
        names = ", ".join(everything)
        spec.fault("context", f"must name one of the contexts of the kubeconfig: {names}")
    problems.check()
    return read.clusters[chosen]


def _contexts(spec: Fields) -> kubeconfig.Kubeconfig | None:
    value = spec.raw("kubeconfig")
    try:
        if isinstance(value, str):
            value = _document(value)
        return kubeconfig.parse(value, folder=None, origin=Origin.RESOURCE)
    except Faults as error:
        spec.fault("kubeconfig", f"is not a kubeconfig: {error}")
    except (Invalid, ValueError):
        # The parser's message is not repeated: it may quote the text, which holds a secret.
        spec.fault(
            "kubeconfig", "must be a kubeconfig: a mapping, its YAML text, or that in base64"
        )
    return None


def _document(text: str) -> yaml.Value:
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):  # else it is the YAML itself
        text = base64.b64decode("".join(text.split()), validate=True).decode()
    documents = yaml.read(text)
    if len(documents) != 1:
        raise ValueError
    return documents[0].value


def _named(cluster: RegisteredCluster, name: str, labels: dict[str, str]) -> RegisteredCluster:
    return replace(cluster, name=name, labels=labels)


def _warnings(cluster: RegisteredCluster) -> tuple[str, ...]:
    if cluster.insecure_skip_tls_verify:
        return ("TLS verification is off: whoever is between plane and the cluster sees all",)
    if cluster.server.startswith("http:"):
        return ("spec.server is http: whoever is between plane and the cluster sees all",)
    return ()


def _pem(spec: Fields, key: str) -> str | None:
    text = spec.text(key)
    if not text:
        return None
    try:
        return pem(text)
    except ValueError:
        spec.fault(key, "must be PEM text, or that in base64")
        return None


CLUSTER = Kind(
    name="cluster",
    plural="clusters",
    versions=("v1", "v3"),
    aliases=("kube_cluster", "kube_clusters"),
    parse=parse,
    secrets=(("spec", "kubeconfig"), ("spec", "token"), ("spec", "client_key")),
    destinations=(
        ("spec", "server"),
        ("spec", "ca"),
        ("spec", "tls_server_name"),
        ("spec", "insecure_skip_tls_verify"),
    ),
)
