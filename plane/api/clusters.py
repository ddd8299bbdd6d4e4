"""/v1/clusters: the clusters that the caller may know of, and as whom they would be used."""

import json
from collections.abc import Callable
from typing import Protocol

from quart import Blueprint, Response, request

from plane.api.access import Access, Visit
from plane.resources.registered import RegisteredCluster
from policies.decide import decide, visible
from policies.model import Cluster, Request

# A path that every role's resources allow: the answer holds the principals of all that match.
_DISCOVERY = Request(verb="get", path="/version")


class Clusters(Protocol):
    """The live clusters; resources.clusters.LiveClusters is one."""

    def all(self) -> list[RegisteredCluster]:
        """Every cluster, by name."""
        ...


def blueprint(
    clusters: Clusters, access: Access, *, status: Callable[[str], str] = lambda _name: "unknown"
) -> Blueprint:
    """The routes; `status` says in a word how a cluster is."""
    routes = Blueprint("clusters", __name__)

    @routes.get("/v1/clusters")
    async def collection() -> Response:
        async with access.visit(request) as visit:
            items = _items(visit, clusters.all(), status)
        response = Response(
            json.dumps({"kind": "List", "items": items}), content_type="application/json"
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    return routes


def _items(
    visit: Visit, clusters: list[RegisteredCluster], status: Callable[[str], str]
) -> list[dict[str, object]]:
    roles, person = visit.roles(), visit.person.person
    items: list[dict[str, object]] = []
    for each in clusters:
        cluster = Cluster(name=each.name, labels=each.labels)
        # Not even the names of the others: a list is the easiest way to learn what there is.
        if not visible(roles, person, cluster):
            continue
        decision = decide(roles, person, cluster, _DISCOVERY)
        items.append(
            {
                "name": each.name,
                "labels": dict(each.labels),
                "kubernetesUsers": list(decision.users or (person.name,)),
                "kubernetesGroups": list(decision.groups),
                "status": status(each.name),
            }
        )
    return items
