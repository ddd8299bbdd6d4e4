"""A cluster that plane knows how to reach, and the checks on what reaching it needs."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# A name is one segment of the path /k8s/clusters/<cluster>/, as it is.
CLUSTER_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,251}[a-zA-Z0-9])?")
CLUSTER_NAME_RULE = "must be letters, digits, - . and _, beginning and ending with the former"


class Origin(StrEnum):
    """Where a cluster was registered."""

    FILE = "file"  # kubernetes_service.kubeconfig_file
    POD = "pod"  # plane runs inside it
    RESOURCE = "resource"  # plane ctl create -f cluster.yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCluster:
    """A cluster's name, labels, address, trust and credential.

    PEM texts are data, read from their files; `token_file` is read at use, because Kubernetes
    rewrites service account tokens in place. `ca_pem` None: the system's own authorities.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    server: str
    ca_pem: str | None = None
    client_certificate_pem: str | None = None
    client_key_pem: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool = False
    uid: str | None = None
    origin: Origin

    def bearer(self) -> str | None:
        """The token to present now; OSError when its file cannot be read."""
        if self.token_file is not None:
            return self.token_file.read_text().strip()
        return self.token


def faults(cluster: RegisteredCluster) -> list[tuple[str, str]]:
    """What keeps a cluster from being reached: pairs of the field's name here and a message."""
    found = _server(cluster.server)
    if cluster.insecure_skip_tls_verify and cluster.ca_pem:
        found.append(("ca_pem", "a CA is given, but TLS verification is switched off"))
    if cluster.ca_pem is not None and (fault := _certificates(cluster.ca_pem)):
        found.append(("ca_pem", fault))
    found += _client(cluster)
    if cluster.token is not None and not _is_token(cluster.token):
        found.append(("token", "must be one word of printable ASCII"))
    has_key = cluster.client_certificate_pem or cluster.client_key_pem
    if not (has_key or cluster.token or cluster.token_file):
        found.append(("token", "there is no credential: give a token or a client certificate"))
    return found


def pem(text: str) -> str:
    """A PEM text given as itself or in base64, as kubeconfig's *-data fields have it."""
    if "-----BEGIN" in text:
        return text
    return base64.b64decode("".join(text.split()), validate=True).decode("ascii")


def _server(server: str) -> list[tuple[str, str]]:
    try:
        url = urlsplit(server)
        _, host = url.port, url.hostname
    except ValueError:
        return [("server", "is not a URL")]
    if url.scheme not in ("https", "http") or not host:
        return [("server", "must be a URL such as https://10.0.0.1:6443")]
    if url.path not in ("", "/") or url.query or url.fragment or url.username:
        return [("server", "must be scheme, host and port only: paths are not supported")]
    return []


def _certificates(text: str) -> str:
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return "is not a PEM certificate"
    return ""


def _client(cluster: RegisteredCluster) -> list[tuple[str, str]]:
    certificate, key = cluster.client_certificate_pem, cluster.client_key_pem
    if not certificate and not key:
        return []
    if not certificate or not key:
        missing = "client_key_pem" if certificate else "client_certificate_pem"
        return [(missing, "a client certificate needs its key, and the key its certificate")]
    if fault := _certificates(certificate):
        return [("client_certificate_pem", fault)]
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        return [("client_key_pem", "is not a PEM private key without a password")]
    leaf = x509.load_pem_x509_certificates(certificate.encode())[0]
    if private.public_key() != leaf.public_key():
        return [("client_key_pem", "is not the key of the client certificate")]
    return []


def _is_token(token: str) -> bool:
    # It becomes a header's value: a line break in it would add headers of the author's choice.
    return token.isascii() and token.isprintable() and " " not in token and token != ""
