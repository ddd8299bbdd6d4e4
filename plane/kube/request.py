"""What a request to a cluster means: path and query to verb, group, resource, namespace, name.

Follows the API server's own reading (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go), but
refuses every path that two readers could understand differently: what is authorized here must be
what the cluster serves, so the bytes are forwarded as received or not at all.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from policies.model import Request

MAX_TARGET_BYTES = 32 * 1024  # a security limit; exec puts its whole command into the query

_VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
# The right follows the subresource, not the method: clients since 1.31 exec by GET.
_SUBRESOURCE_VERBS = {
    "exec": "exec",
    "attach": "exec",
    "portforward": "portforward",
    "proxy": "proxy",
}
# The kubelet's own ways to run a command or reach into a container, behind nodes/<node>/proxy.
_KUBELET_COMMANDS = frozenset({"run", "exec", "attach", "portForward", "cri"})
STREAMING_SUBRESOURCES = frozenset({"exec", "attach", "portforward"})
# RFC 3986 path characters; anything else must come percent-encoded.
_PATH = re.compile(rb"/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*\Z")
# Encoded slash, backslash, dot, percent and control characters are how two readers get to differ.
_AMBIGUOUS = re.compile(rb"%(?![0-9A-Fa-f]{2})|%(?:2[fFeE5]|5[cC]|[01][0-9A-Fa-f]|7[fF])")
_QUERY = re.compile(rb"[A-Za-z0-9\-._~!$&'()*+,=:@%/?\[\]|{}\"<>^`\\]*\Z")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class TargetError(ValueError):
    """The target can be read in more than one way, or in none; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeRequest:
    """One parsed request. `checks` must all be allowed; `target` are the bytes to forward."""

    method: str
    target: bytes
    path: str
    query: tuple[tuple[str, str], ...]
    verb: str
    checks: tuple[Request, ...]
    api_version: str = ""
    streaming: bool = False
    long_running: bool = False

    @property
    def what(self) -> Request:
        """The request in the words of policies (the first of `checks`)."""
        return self.checks[0]

    @property
    def mutating(self) -> bool:
        """True when the request may change something in the cluster."""
        return self.streaming or self.method not in ("GET", "HEAD", "OPTIONS")

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a query parameter, in order."""
        return tuple(value for key, value in self.query if key == name)

    def is_set(self, name: str) -> bool:
        """Whether a boolean parameter is on, read as the API server does: not false or 0."""
        values = self.values(name)
        return bool(values) and values[0].lower() not in ("false", "0")


@lru_cache(maxsize=1024)
def parse(method: str, target: bytes) -> KubeRequest:
    """Read `target` (path and query, our prefix taken off); TargetError when it is ambiguous."""
    if len(target) > MAX_TARGET_BYTES:
        message = f"the request's path and query are longer than {MAX_TARGET_BYTES} bytes"
        raise TargetError(message)
    raw_path, _, raw_query = target.partition(b"?")
    segments = _segments(raw_path)
    query = _query(raw_query)
    if method not in _VERBS and method != "OPTIONS":
        message = f"the method {method} is not used by the Kubernetes API"
        raise TargetError(message)
    found = _resource(method, segments, query)
    if found is None:
        return _non_resource(method, target, raw_path, query)
    if raw_path.endswith(b"/") and found.subresource != "proxy":
        raise TargetError("the path of a resource must not end in a slash")
    return _resource_request(method, target, found, query)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    verb: str
    group: str
    version: str
    namespace: str
    resource: str
    name: str
    subresource: str


def _segments(raw_path: bytes) -> list[str]:
    if not _PATH.match(raw_path):
        raise TargetError("the path holds characters that must be percent-encoded")
    if _AMBIGUOUS.search(raw_path):
        raise TargetError("the path holds an encoded slash, dot, percent or control character")
    decoded = unquote_to_bytes(raw_path)
    try:
        parts = decoded.decode("utf-8").split("/")[1:]
    except UnicodeDecodeError as error:
        raise TargetError("the path is not UTF-8") from error
    if parts and not parts[-1]:
        parts.pop()  # one trailing slash: discovery clients of several languages send it
    if any(part in ("", ".", "..") for part in parts):
        raise TargetError("the path holds an empty segment, '.' or '..'")
    return parts


def _query(raw: bytes) -> tuple[tuple[str, str], ...]:
    if not raw:
        return ()
    # Go refuses ';' as a separator and other readers accept it: one meaning only.
    if not _QUERY.match(raw) or _BAD_ESCAPE.search(raw):
        raise TargetError("the query holds a semicolon, a control character or a broken escape")
    pairs = []
    for part in raw.split(b"&"):
        if part:
            key, _, value = part.replace(b"+", b" ").partition(b"=")
            pairs.append((_text(key), _text(value)))
    if len({value.lower() for key, value in pairs if key == "watch"}) > 1:
        raise TargetError("the query says both watch and not watch")
    return tuple(pairs)


def _text(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise TargetError("the query is not UTF-8") from error


def _resource(method: str, parts: list[str], query: tuple[tuple[str, str], ...]) -> _Found | None:
    """The resource that the path names, or None for discovery, /version, /healthz and the like."""
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if rest[0] in ("watch", "proxy"):
        # Gone or deprecated since 1.11; a second spelling of a right is a way around a rule.
        message = (
            f"the legacy path prefix {rest[0]!r} is not supported; use the query or subresource"
        )
        raise TargetError(message)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    if rest[0] == "nodes" and rest[2:3] == ["proxy"] and _KUBELET_COMMANDS.intersection(rest[3:4]):
        message = f"the kubelet's {rest[3]!r} is not supported, nobody would record it; use exec"
        raise TargetError(message)
    return _Found(
        verb=_verb(method, rest, query),
        group=group,
        version=version,
        namespace=namespace,
        resource=rest[0],
        name=rest[1] if len(rest) > 1 else "",
        subresource=rest[2] if len(rest) > 2 else "",
    )


def _verb(method: str, rest: list[str], query: tuple[tuple[str, str], ...]) -> str:
    verb = _VERBS.get(method, "get")
    if len(rest) > 1:
        return verb
    if verb == "get":
        watch = [value.lower() for key, value in query if key == "watch"]
        return "watch" if watch and watch[0] not in ("false", "0") else "list"
    return "deletecollection" if verb == "delete" else verb


def _non_resource(
    method: str, target: bytes, raw_path: bytes, query: tuple[tuple[str, str], ...]
) -> KubeRequest:
    path = unquote_to_bytes(raw_path).decode("utf-8")
    verb = _VERBS.get(method, "get")
    return KubeRequest(
        method=method,
        target=target,
        path=path,
        query=query,
        verb=verb,
        checks=(Request(verb=verb, path=path),),
    )


def _resource_request(
    method: str, target: bytes, found: _Found, query: tuple[tuple[str, str], ...]
) -> KubeRequest:
    def check(verb: str) -> Request:
        return Request(
            verb=verb,
            api_group=found.group,
            resource=found.resource,
            subresource=found.subresource,
            namespace=found.namespace,
            name=found.name,
        )

    right = found.verb
    if found.resource in ("pods", "services", "nodes"):
        right = _SUBRESOURCE_VERBS.get(found.subresource, found.verb)
    checks: tuple[Request, ...] = (check(right),)
    if found.subresource == "ephemeralcontainers" and found.verb != "get":
        # A debug container is a way into the pod: it needs exec as well as the change itself.
        checks = (check("exec"), check(found.verb))
    streaming = found.resource == "pods" and found.subresource in STREAMING_SUBRESOURCES
    following = found.subresource == "log" and any(
        key == "follow" and value.lower() not in ("false", "0") for key, value in query
    )
    return KubeRequest(
        method=method,
        target=target,
        path=unquote_to_bytes(target.partition(b"?")[0]).decode("utf-8"),
        query=query,
        verb=found.verb,
        checks=checks,
        api_version=found.version,
        streaming=streaming,
        long_running=streaming
        or following
        or found.verb == "watch"
        or found.subresource == "proxy",
    )
