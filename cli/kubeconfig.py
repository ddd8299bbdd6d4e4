"""The entries of plane in a person's kubeconfig: written, found again and removed, nothing else.

A cluster entry carries an extension with the server and the cluster's real name, so contexts may be
renamed; a user entry is ours when it runs `kube credentials --proxy`. The file is locked as
kubectl locks it, replaced as a whole, and keeps its mode; a link stays a link.
"""

import base64
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from cli.errors import CliError
from cli.files import exclusive_file, write_atomically
from cli.output import Document, mapping
from cli.yamledit import SECTIONS, Changes, Entry, apply

EXTENSION = "plane.dev/cluster"
_LOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One cluster as it shall appear: `context` names both its context and its cluster entry."""

    context: str
    cluster: str
    proxy: str
    kube_path: str
    ca_pem: str = ""
    command: str = "plane"

    @property
    def user(self) -> str:
        """One user entry per server, shared by its contexts."""
        parts = urlsplit(self.proxy)
        return f"plane-{parts.netloc}{parts.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What plane wrote in a kubeconfig, and the names that others wrote, by section.

    `proxies` and `clusters` are by cluster entry (`proxies` by user entry too), `contexts` says
    which cluster entry a context names: contexts may have been renamed.
    """

    names: Mapping[str, frozenset[str]]
    proxies: Mapping[str, str]
    clusters: Mapping[str, str]
    contexts: Mapping[str, str]
    foreign: Mapping[str, frozenset[str]]
    current: str


def default_path() -> Path:
    """The first file of $KUBECONFIG, else ~/.kube/config."""
    listed = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    return Path(listed[0]) if listed else Path.home() / ".kube" / "config"


def entries(targets: Iterable[Target], *, current: str | None) -> Changes:
    """The entries of these clusters, as changes to a kubeconfig."""
    put: dict[str, dict[str, Entry]] = {section: {} for section in SECTIONS}
    for target in targets:
        put["clusters"][target.context] = _cluster(target)
        put["contexts"][target.context] = {
            "name": target.context,
            "context": {"cluster": target.context, "user": target.user},
        }
        put["users"][target.user] = _user(target)
    return Changes(put=put, current=current)


def _cluster(target: Target) -> Entry:
    server = f"{target.proxy}{target.kube_path}{quote(target.cluster, safe='')}"
    cluster: dict[str, object] = {"server": server}
    if target.ca_pem:
        ca = base64.b64encode(target.ca_pem.encode()).decode()
        cluster["certificate-authority-data"] = ca
    extension = {"cluster": target.cluster, "proxy": target.proxy}
    cluster["extensions"] = [{"name": EXTENSION, "extension": extension}]
    return {"name": target.context, "cluster": cluster}


def _user(target: Target) -> Entry:
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": target.command,
        "args": ["kube", "credentials", "--proxy", target.proxy],
        "env": None,
        "installHint": "Install plane (the plane-access distribution), then run: "
        f"plane login --proxy {target.proxy}",
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": False,
    }
    return {"name": target.user, "user": {"exec": plugin}}


def owned(text: str) -> Owned:
    """Find what plane wrote in the text of a kubeconfig."""
    import yaml

    try:
        document = mapping(yaml.safe_load(text))
    except yaml.YAMLError:
        document = {}  # apply() says what is wrong with it
    clusters = {name: _extension(item) for name, item in _named(document, "clusters", "cluster")}
    contexts = {
        name: str(item.get("cluster")) for name, item in _named(document, "contexts", "context")
    }
    users = {name: _exec_proxy(item) for name, item in _named(document, "users", "user")}
    ours = {
        "clusters": frozenset(name for name, (proxy, _) in clusters.items() if proxy),
        "users": frozenset(name for name, proxy in users.items() if proxy),
    }
    ours["contexts"] = frozenset(
        name for name, cluster in contexts.items() if cluster in ours["clusters"]
    )
    everything: Mapping[str, Mapping[str, object]] = {
        "clusters": clusters,
        "contexts": contexts,
        "users": users,
    }
    return Owned(
        names=ours,
        proxies={name: proxy for name, (proxy, _) in clusters.items() if proxy}
        | {name: proxy for name, proxy in users.items() if proxy},
        clusters={name: cluster for name, (_, cluster) in clusters.items() if cluster},
        contexts={name: contexts[name] for name in ours["contexts"]},
        foreign={section: frozenset(everything[section]) - ours[section] for section in SECTIONS},
        current=str(document.get("current-context") or ""),
    )


def _named(document: Document, section: str, inner: str) -> list[tuple[str, Document]]:
    items = document.get(section)
    found = [mapping(item) for item in items] if isinstance(items, list) else []
    return [(str(item.get("name")), mapping(item.get(inner))) for item in found]


def _extension(cluster: Document) -> tuple[str, str]:
    """The server and the real cluster name in our extension, empty where there is none."""
    extensions = cluster.get("extensions")
    for item in extensions if isinstance(extensions, list) else []:
        if mapping(item).get("name") == EXTENSION:
            found = mapping(mapping(item).get("extension"))
            return str(found.get("proxy") or ""), str(found.get("cluster") or "")
    return "", ""


def _exec_proxy(user: Document) -> str:
    args = mapping(user.get("exec")).get("args")
    if isinstance(args, list) and len(args) == 4 and args[:3] == ["kube", "credentials", "--proxy"]:
        return str(args[3])
    return ""


def removal(found: Owned, *, proxy: str, cluster: str = "") -> Changes:
    """The removal of one server's entries, or of one cluster's; the user entry goes last."""
    ours = {name for name in found.names["clusters"] if found.proxies[name] == proxy}
    gone = {name for name in ours if cluster in ("", found.clusters.get(name))}
    contexts = frozenset(name for name, entry in found.contexts.items() if entry in gone)
    users = found.names["users"] if gone == ours else frozenset()
    drop = {
        "clusters": frozenset(gone),
        "contexts": contexts,
        "users": frozenset(name for name in users if found.proxies[name] == proxy),
    }
    return Changes(drop=drop, current="" if found.current in contexts else None)


def update(path: Path, decide: Callable[[Owned], Changes]) -> Changes:
    """Change a kubeconfig under its lock: read, decide, write if anything differs."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusive_file(path.with_name(f"{path.name}.lock"), timeout_seconds=_LOCK_SECONDS):
        real = Path(os.path.realpath(path))
        text, mode = _read(real)
        changes = decide(owned(text))
        try:
            changed = apply(text, changes)
        except CliError as error:
            raise CliError(f"{path}: {error.message}", hint="It is left as it is.") from None
        if changed != text:
            real.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(real, changed.encode(), mode=mode)
    return changes


def _read(path: Path) -> tuple[str, int]:
    try:
        # newline="" keeps CRLF files as they are.
        with path.open(encoding="utf-8", newline="") as file:
            return file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except FileNotFoundError:
        return "", 0o600
    except ValueError:
        raise CliError(f"{path} is not UTF-8", hint="It is left as it is.") from None
