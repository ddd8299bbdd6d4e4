"""Reads kubeconfigs: every context becomes a cluster, or a refusal that says why.

What runs a program (exec, auth-provider) is refused; files named inside are read only for
kubeconfigs that came from this machine's disk (`folder` is given), never for uploaded ones.
Fields: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from dataclasses import dataclass
from pathlib import Path

from plane.resources.fields import Faults, Fields
from plane.resources.registered import Origin, RegisteredCluster, faults, pem
from plane.resources.yaml import Value

_PROGRAMS = ("exec", "auth-provider")
_AS = ("as", "as-uid", "as-groups", "as-user-extra", "username", "password")
_FIELD_NAMES = {
    "ca_pem": "certificate-authority-data",
    "client_certificate_pem": "client-certificate-data",
    "client_key_pem": "client-key-data",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """The contexts that can be used, those that cannot with the reason, and the current one."""

    clusters: dict[str, RegisteredCluster]
    refused: dict[str, str]
    current: str


def parse(value: Value, *, folder: Path | None, origin: Origin) -> Kubeconfig:
    """Read a kubeconfig; fields.Faults when it is none at all."""
    problems = Faults()
    root = Fields(value, "", problems)
    tables = _Tables(
        clusters=_named(root, "clusters", "cluster"),
        users=_named(root, "users", "user"),
        reader=_Reader(folder),
        origin=origin,
    )
    contexts = _named(root, "contexts", "context")
    if not contexts:
        root.fault("contexts", "there is no context")
    problems.check()
    good: dict[str, RegisteredCluster] = {}
    refused: dict[str, str] = {}
    for name, context in contexts.items():
        try:
            good[name] = _cluster(name, context, tables)
        except Faults as error:
            refused[name] = "; ".join(message for _, message in error.problems)
    return Kubeconfig(clusters=good, refused=refused, current=root.text("current-context"))


def _named(root: Fields, plural: str, singular: str) -> dict[str, Value]:
    return {
        name: each.raw(singular)
        for each in root.children(plural)
        if (name := each.text("name", required=True))
    }


def _cluster(name: str, context: Value, tables: "_Tables") -> RegisteredCluster:
    problems = Faults()
    fields = Fields(context, "", problems)
    cluster_name, user_name = fields.text("cluster"), fields.text("user")
    if cluster_name not in tables.clusters:
        problems.note("cluster", f"its cluster {cluster_name!r} is not in the file")
    if user_name not in tables.users:
        problems.note("user", f"its user {user_name!r} is not in the file")
    problems.check()
    cluster = Fields(tables.clusters[cluster_name], "cluster", problems)
    user = Fields(tables.users[user_name], "user", problems)
    _refuse(cluster, user)
    reader = tables.reader
    registered = RegisteredCluster(
        name=name,
        server=cluster.text("server"),
        ca_pem=reader.pem(cluster, "certificate-authority"),
        tls_server_name=cluster.text("tls-server-name") or None,
        insecure_skip_tls_verify=cluster.flag("insecure-skip-tls-verify"),
        client_certificate_pem=reader.pem(user, "client-certificate"),
        client_key_pem=reader.pem(user, "client-key"),
        token=user.text("token") or None,
        # kubectl prefers tokenFile when both are there.
        token_file=reader.path(user, "tokenFile"),
        origin=tables.origin,
    )
    problems.check()
    for field, message in faults(registered):
        problems.note(field, f"{_FIELD_NAMES.get(field, field)}: {message}")
    problems.check()
    return registered


def _refuse(cluster: Fields, user: Fields) -> None:
    for key in _PROGRAMS:
        if key in user:
            user.fault(
                key,
                f"its user runs a program for credentials ({key}); plane runs none: give it a "
                "service account token or a client certificate",
            )
    for key in _AS:
        if key in user:
            user.fault(key, f"its user has {key!r}; plane needs a token or a client certificate")
    if "proxy-url" in cluster:
        cluster.fault("proxy-url", "its cluster has a proxy-url, which is not supported")


class _Reader:
    """Takes *-data fields, or reads the files beside a kubeconfig of this machine."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def pem(self, fields: Fields, key: str) -> str | None:
        data = fields.text(f"{key}-data")
        if data:
            try:
                return pem(data)
            except ValueError:
                fields.fault(f"{key}-data", f"{key}-data is not base64")
                return None
        path = self.path(fields, key)
        if path is None:
            return None
        try:
            return path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            fields.fault(key, f"the file of {key} cannot be read: {error}")
            return None

    def path(self, fields: Fields, key: str) -> Path | None:
        text = fields.text(key)
        if not text:
            return None
        if self._folder is None:
            fields.fault(key, f"{key} names a file on the server: put its content in instead")
            return None
        return self._folder / text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    clusters: dict[str, Value]
    users: dict[str, Value]
    reader: _Reader
    origin: Origin
