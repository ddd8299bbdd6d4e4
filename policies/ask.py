"""A request put into the words of rules: which verbs it needs, on what.

Rights follow the subresource, not the HTTP method: Kubernetes clients since 1.31 run exec by GET
(https://github.com/kubernetes/kubernetes/issues/78741).
"""

from policies.kinds import ALIASES, DISCOVERY, DISCOVERY_BELOW, SELF_REVIEWS
from policies.model import Request
from policies.resources import Ask, aliases, is_cluster_wide

COLLECTIVE = frozenset({"list", "watch", "deletecollection"})
_BY_SUBRESOURCE = {
    "exec": ("exec",),
    "attach": ("exec",),
    "portforward": ("portforward",),
    "proxy": ("proxy",),
    "eviction": ("delete",),
}
_CHANGES = frozenset({"create", "update", "patch", "exec"})


def ask_of(request: Request) -> Ask:
    """Translate; pure and cheap, it runs for each request."""
    verb, kind, group = request.verb, request.resource, request.api_group
    verbs: tuple[str, ...] = (verb,)
    if request.subresource:
        verbs = _of_subresource(request.subresource, verb)
    namespace, name = request.namespace, request.name
    if kind == "namespaces":
        # /api/v1/namespaces/shop may come with the name in either field.
        name, namespace = name or namespace, ""
    every = not name and verb in COLLECTIVE
    return Ask(
        verbs,
        ("deletecollection", "delete") if verb == "deletecollection" else verbs,
        kind,
        group,
        aliases(group, kind) if kind in ALIASES else (group,),
        namespace,
        name,
        every,
        not name and not every,
        _scope(request) if every else None,
    )


def _scope(request: Request) -> bool | None:
    if request.namespaced is not None:
        return not request.namespaced
    return is_cluster_wide(request.api_group, request.resource)


def _of_subresource(subresource: str, verb: str) -> tuple[str, ...]:
    if subresource == "ephemeralcontainers" and verb in _CHANGES:
        # kubectl debug runs a command in a pod, and changes the pod to do so.
        return ("exec", "update" if verb == "update" else "patch")
    # services/x/proxy/path and the like may carry the rest of the path.
    return _BY_SUBRESOURCE.get(subresource.partition("/")[0], (verb,))


def is_discovery(request: Request) -> bool:
    """Whether kubectl needs this path to talk to a cluster at all (read only)."""
    path = request.path.partition("?")[0]
    return request.verb in ("get", "head") and (
        path in DISCOVERY or path.startswith(DISCOVERY_BELOW)
    )


def is_self_review(request: Request) -> bool:
    """Whether the person asks who he is or what he may do."""
    return (
        request.verb == "create"
        and not request.subresource
        and (request.api_group, request.resource) in SELF_REVIEWS
    )
