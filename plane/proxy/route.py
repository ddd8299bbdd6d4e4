"""Which cluster a call is for: `/k8s/clusters/<cluster>/<path>`, nothing else."""

import itertools
import re
from dataclasses import dataclass, field

from plane.errors import BadRequest
from plane.upstream.pool import Pool
from policies.model import Cluster

PREFIX = b"/k8s/clusters/"
_NAME = re.compile(rb"[a-z0-9A-Z](?:[a-z0-9A-Z._-]{0,251}[a-z0-9A-Z])?(?=[/?]|\Z)")


_GENERATIONS = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A registered cluster: what policies know of it, and how it is reached.

    `generation` never repeats: what was decided for a route dies with it.
    """

    cluster: Cluster
    upstream: Pool
    generation: int = field(default_factory=lambda: next(_GENERATIONS))


class Routes:
    """The registered clusters by name; replaced whole entries, never half-changed ones."""

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}

    def find(self, name: str) -> Route | None:
        """The route of a cluster, if it is registered."""
        return self._routes.get(name)

    def put(self, route: Route) -> None:
        """Register or replace; the old pool lets its running exchanges finish."""
        old = self._routes.get(route.cluster.name)
        self._routes[route.cluster.name] = route
        if old is not None and old.upstream is not route.upstream:
            old.upstream.close()

    def drop(self, name: str) -> None:
        """Forget a cluster."""
        old = self._routes.pop(name, None)
        if old is not None:
            old.upstream.close()

    def close(self) -> None:
        """Forget all."""
        for name in list(self._routes):
            self.drop(name)


def split(target: bytes) -> tuple[str, bytes]:
    """(cluster name, target at the cluster); BadRequest when the name is not a plain one."""
    found = _NAME.match(target, len(PREFIX))
    if found is None:
        raise BadRequest("the path must be /k8s/clusters/<cluster>/...; see: plane kube ls")
    inner = target[found.end() :]
    if not inner.startswith(b"/"):
        inner = b"/" + inner
    return found[0].decode("ascii"), inner
