"""May this session do this here? Asks policies.decide and remembers the answer for a while."""

from collections.abc import Callable

from policies.decide import decide, visible

from plane.errors import Forbidden
from plane.identity.session import Session
from plane.kube.request import KubeRequest
from plane.proxy.route import Route
from policies.model import Cluster, Decision, Request, Role

_CACHE_ENTRIES = 8192
_UNKNOWN = "no role of yours selects a cluster of that name"


class Authorizer:
    """Decisions from the live roles, cached per policy revision."""

    def __init__(
        self,
        roles: Callable[[tuple[str, ...]], tuple[Role, ...]],
        revision: Callable[[], int],
    ) -> None:
        self._roles = roles
        self._revision = revision
        self._cache: dict[tuple[str, str, int, str, bytes], Decision] = {}
        self._cached_at = -1

    @property
    def revision(self) -> int:
        """The revision of roles that decisions are made from."""
        return self._revision()

    def forget(self) -> None:
        """Drop remembered decisions: a session's traits or roles have changed."""
        self._cache.clear()

    def decide(
        self, session: Session, name: str, route: Route | None, request: KubeRequest
    ) -> Decision:
        """The decision, allowed or not; never an exception for a policy reason."""
        if route is None:
            return Decision(allowed=False, reason=_UNKNOWN)
        revision = self._revision()
        if revision != self._cached_at or len(self._cache) > _CACHE_ENTRIES:
            self._cache.clear()
            self._cached_at = revision
        # A generation stands for the labels: a label change makes a new Route.
        key = (session.id, name, route.generation, request.method, request.target)
        found = self._cache.get(key)
        if found is None:
            found = self._decide(session, route.cluster, request.checks)
            self._cache[key] = found
        return found

    def _decide(self, session: Session, cluster: Cluster, checks: tuple[Request, ...]) -> Decision:
        roles = self._roles(session.roles)
        if not visible(roles, session.person, cluster):
            return Decision(allowed=False, reason=_UNKNOWN)
        decisions = [decide(roles, session.person, cluster, check) for check in checks]
        refused = next((decision for decision in decisions if not decision.allowed), None)
        # Several checks (a debug container): the narrower principals, those of the change itself.
        return refused if refused is not None else decisions[-1]


def require(decision: Decision, name: str) -> None:
    """Forbidden unless allowed; the same words for a cluster that is hidden and one that is not."""
    if decision.allowed:
        return
    if decision.reason == _UNKNOWN:
        message = (
            f'you have no access to a cluster "{name}": {_UNKNOWN} (your clusters: plane kube ls)'
        )
        raise Forbidden(message)
    raise Forbidden(f"plane does not allow this on cluster {name}: {decision.reason}")
