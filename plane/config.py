"""The server's settings: flags over environment (PLANE_*) over the YAML file over defaults.

Every key is in examples/plane.yaml and docs/reference/config.md (tests compare). An unknown key
is an error with its place. Environment: `recording.flush_bytes` is PLANE_RECORDING_FLUSH_BYTES.
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from plane.config_teleport import translate
from plane.decode import Decoder, Endpoint, endpoint, from_text, leaves
from plane.errors import Invalid, Problem
from plane.resources import yaml
from plane.resources.clusters import Configured, ContextSettings
from plane.resources.fields import Faults
from plane.resources.yaml import Value

LISTEN = Endpoint(host="127.0.0.1", port=3080)


class Credential(StrEnum):
    """What `plane login` hands out by default."""

    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - a word of the configuration


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """One JSON object per line, or lines for people."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The listener's certificate; without it plane's own host CA makes one."""

    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthService:
    """Logins. `tokens` are static join tokens, `kube:<secret>`."""

    session_ttl: timedelta = timedelta(hours=12)
    invite_ttl: timedelta = timedelta(hours=24)
    credential: Credential = Credential.CERTIFICATE
    local_login: bool = True
    default_connector: str | None = None
    tokens: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesService:
    """The clusters that this server reaches itself; a context's own labels win over `labels`."""

    enabled: bool = True
    kubeconfig_file: Path | None = None
    kube_cluster_name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, ContextSettings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Where sessions are recorded (default: `recordings` in data_dir) and how often flushed."""

    folder: Path | None = None
    flush_interval: timedelta = timedelta(seconds=1)
    flush_bytes: int = 64 * 1024
    record_input: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Where the audit log is (default: `audit` in data_dir) and when a segment ends."""

    folder: Path | None = None
    segment_bytes: int = 64 * 1024 * 1024
    segment_age: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one session may have under way at once."""

    requests_per_session: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """A plaintext listener of its own for the health checks, without identity."""

    listen: Endpoint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What goes to standard error."""

    level: LogLevel = LogLevel.INFO
    format: LogFormat = LogFormat.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that `plane start` may be told; `warnings` are for the log of the start."""

    data_dir: Path
    secret_key_file: Path | None = None
    listen: Endpoint = LISTEN
    public_url: str | None = None
    plaintext_listen: Endpoint | None = None
    trusted_proxies: tuple[str, ...] = ()
    tls: Tls = Tls()
    auth_service: AuthService = AuthService()
    kubernetes_service: KubernetesService = KubernetesService()
    recording: Recording = Recording()
    audit: Audit = Audit()
    limits: Limits = Limits()
    diagnostics: Diagnostics = Diagnostics()
    log: Log = Log()
    warnings: tuple[str, ...] = field(default=(), metadata={"internal": True})

    @property
    def database_file(self) -> Path:
        """The SQLite store."""
        return self.data_dir / "plane.db"

    @property
    def key_file(self) -> Path:
        """The key that secrets in the store are encrypted with."""
        return self.secret_key_file or self.data_dir / "secrets.key"

    @property
    def audit_folder(self) -> Path:
        """Where the audit log is."""
        return self.audit.folder or self.data_dir / "audit"

    @property
    def recording_folder(self) -> Path:
        """Where the recordings are."""
        return self.recording.folder or self.data_dir / "recordings"


def load(
    path: Path | None, env: Mapping[str, str], flags: Mapping[str, str] | None = None
) -> Settings:
    """Read the settings; Invalid lists every fault with its line.

    `flags` are texts by path (`{"listen": "0.0.0.0:443"}`); a value of "" counts as not given.
    """
    source = _file(path)
    faults = Faults()
    values, warnings = translate(source.value, faults)
    for where, text in (_environment(env) | dict(flags or {})).items():
        if text:
            _set(values, where, text)
    values.setdefault("data_dir", str(data_dir(env)))
    folder = path.parent.absolute() if path is not None else Path.cwd()
    settings = Decoder(faults=faults, folder=folder).tree(Settings, values)
    _check(settings, faults)
    if faults.problems:
        where = str(path) if path is not None else "the environment or flags"
        problems = tuple(source.problem(message, place) for place, message in faults.problems)
        raise Invalid(f"the configuration ({where}) is not acceptable", problems=problems)
    return replace(settings, warnings=tuple(warnings))


def data_dir(env: Mapping[str, str], *, root: bool | None = None) -> Path:
    """The default folder for data: /var/lib/plane for root, else $XDG_DATA_HOME/plane."""
    if root is None:
        root = os.geteuid() == 0
    if root:
        return Path("/var/lib/plane")
    home = env.get("XDG_DATA_HOME") or f"{env.get('HOME') or Path.home()}/.local/share"
    return Path(home) / "plane"


def configured_clusters(settings: Settings, env: Mapping[str, str]) -> Configured:
    """What LiveClusters needs of the settings; nothing when the service is off."""
    service = settings.kubernetes_service
    if not service.enabled:
        return Configured()
    return Configured(
        kubeconfig_file=service.kubeconfig_file,
        labels=service.labels,
        contexts=service.contexts,
        pod_name=service.kube_cluster_name,
        environment=env,
    )


def variable(path: str) -> str:
    """The environment variable of a setting."""
    return "PLANE_" + path.replace(".", "_").upper()


def _file(path: Path | None) -> yaml.Source:
    nothing = yaml.Source(value={}, number=1, lines={})
    if path is None:
        return nothing
    try:
        sources = yaml.read(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"the configuration {path} cannot be read: {error}") from error
    except Invalid as error:
        raise Invalid(f"{path}: {error.message}", problems=error.problems) from error
    if len(sources) > 1:
        problem = Problem(message="a configuration is one document", document=2)
        raise Invalid(f"{path} holds more than one document", problems=(problem,))
    return sources[0] if sources else nothing


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    paths = (path for path, _, _ in leaves(Settings) if "*" not in path)
    return {path: env[variable(path)] for path in paths if env.get(variable(path))}


def _set(values: dict[str, Value], path: str, text: str) -> None:
    hint = next(hint for each, hint, _ in leaves(Settings) if each == path)
    *sections, key = path.split(".")
    for section in sections:
        inner = values.get(section)
        copy: dict[str, Value] = dict(inner) if isinstance(inner, dict) else {}
        values[section] = copy
        values = copy
    # A path in the environment or a flag starts where the person stands, not at the file.
    values[key] = str(Path.cwd() / text) if hint is Path else from_text(hint, text)


def _check(settings: Settings, faults: Faults) -> None:
    tls = settings.tls
    if (tls.cert_file is None) != (tls.key_file is None):
        faults.note("tls", "cert_file and key_file belong together")
    if settings.public_url is not None and not _is_origin(settings.public_url):
        faults.note("public_url", "must be https://host or https://host:port, without a path")
    for number, network in enumerate(settings.trusted_proxies):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            faults.note(f"trusted_proxies[{number}]", "must be an address or network (10.0.0.0/8)")
    if settings.auth_service.session_ttl < timedelta(minutes=1):
        faults.note("auth_service.session_ttl", "must be at least 1m")
    if settings.recording.flush_interval > timedelta(minutes=1):
        faults.note("recording.flush_interval", "must be at most 1m: a crash loses that much")


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        endpoint(f"{parts.hostname}:{parts.port or 443}".replace("::", "[::]"))
    except ValueError:
        return False
    plain = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    return parts.scheme in ("https", "http") and bool(parts.hostname) and plain
