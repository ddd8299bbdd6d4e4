"""Teleport's configuration keys that have a meaning here, said in plane's own.

The others of its sections are accepted with a warning, so that a known file can be brought along.
"""

from collections.abc import Callable, Mapping

from plane.resources.fields import Faults
from plane.resources.yaml import Value, child

_Translate = Callable[[Value], Value]


def _same(value: Value) -> Value:
    return value


def _url(value: Value) -> Value:
    address = value[0] if isinstance(value, list) and value else value
    return f"https://{address}" if isinstance(address, str) and "://" not in address else address


# In the order of preference: plane has one listener, and what is plane's own key wins over all.
_MEANINGS: tuple[tuple[str, str, _Translate], ...] = (
    ("teleport.data_dir", "data_dir", _same),
    ("teleport.log.severity", "log.level", _same),
    ("proxy_service.public_addr", "public_url", _url),
    ("kubernetes_service.public_addr", "public_url", _url),
    ("proxy_service.kube_public_addr", "public_url", _url),
    ("proxy_service.web_listen_addr", "listen", _same),
    ("kubernetes_service.listen_addr", "listen", _same),
    ("proxy_service.kube_listen_addr", "listen", _same),
    ("proxy_service.https_cert_file", "tls.cert_file", _same),
    ("proxy_service.https_key_file", "tls.key_file", _same),
)
_NO_MEANING = (
    "version", "ssh_service", "app_service", "db_service",
    "teleport.nodename", "teleport.pid_file", "teleport.advertise_ip", "teleport.log.output",
    "teleport.auth_token", "teleport.auth_servers", "teleport.storage", "teleport.ca_pin",
    "auth_service.enabled", "auth_service.listen_addr", "auth_service.public_addr",
    "auth_service.cluster_name", "auth_service.authentication", "auth_service.license_file",
    "proxy_service.enabled", "proxy_service.listen_addr", "proxy_service.tunnel_listen_addr",
    "proxy_service.ssh_public_addr", "proxy_service.acme",
)  # fmt: skip
_FOREIGN_SECTIONS = ("teleport.log", "teleport", "proxy_service")


def translate(value: Value, faults: Faults) -> tuple[dict[str, Value], list[str]]:
    """The values with Teleport's keys replaced by plane's, and a warning for each that is lost."""
    if not isinstance(value, dict):
        faults.note("", "must be a mapping")
        return {}, []
    values, warnings = _copy(value), []
    for path, ours, meaning in _MEANINGS:
        found = _pop(values, path)
        if found is None:
            continue
        if _peek(values, ours) is None:
            _put(values, ours, meaning(found))
        else:
            warnings.append(f"{path} is not used: {ours} is set already")
    warnings += [f"{path} does nothing here" for path in _NO_MEANING if _pop(values, path)]
    for path in _FOREIGN_SECTIONS:
        left = _pop(values, path)
        for key in left if isinstance(left, dict) else ():
            faults.note(child(path, key), "unknown field")
    return values, warnings


def _copy(value: Mapping[str, Value]) -> dict[str, Value]:
    return {key: _copy(each) if isinstance(each, dict) else each for key, each in value.items()}


def _peek(values: dict[str, Value], path: str) -> Value:
    found: Value = values
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _pop(values: dict[str, Value], path: str) -> Value:
    parent, _, key = path.rpartition(".")
    section = _peek(values, parent) if parent else values
    return section.pop(key, None) if isinstance(section, dict) else None


def _put(values: dict[str, Value], path: str, value: Value) -> None:
    section, _, key = path.rpartition(".")
    inner = values.setdefault(section, {}) if section else values
    if isinstance(inner, dict):
        inner[key] = value
