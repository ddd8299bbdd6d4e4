"""Routes follow the registered clusters, and each newcomer is asked and told of."""

import asyncio
import json
import socket

import pytest
from loopback.cluster import Cluster, answer

from plane.fleet import Fleet
from plane.proxy.route import Routes
from plane.resources.clusters import Configured, LiveClusters
from plane.resources.service import Resources
from plane.store.memory import MemoryStore
from plane.store.secrets import SecretBox


def document(name, server, *, env="dev", **spec):
    return {
        "kind": "cluster",
        "version": "v1",
        "metadata": {"name": name, "labels": {"env": env}},
        "spec": {"server": server, "token": "t", **spec},
    }


async def api_server(asked):
    """As much of Kubernetes as the probe asks for."""
    path = asked.line.split(b" ")[1]
    body = {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
    code = 200
    if b"selfsubjectaccessreviews" in path:
        code = 201
        body = {**json.loads(asked.body), "status": {"allowed": True}}
    elif b"namespaces" in path:
        body = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"uid": "uid-1"}}
    else:
        body |= dict.fromkeys(
            ("gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"), "x"
        )
    asked.writer.write(answer(code, json.dumps(body).encode(), b"Content-Type: application/json"))


class House:
    def __init__(self):
        self.store = MemoryStore()
        self.resources = Resources(self.store, SecretBox(b"k" * 32))
        self.clusters = LiveClusters(self.store, self.resources, Configured())
        self.routes = Routes()
        self.events = []
        self.fleet = Fleet(self.clusters, self.routes, self.events.append)

    async def apply(self, *documents):
        text = "\n---\n".join(json.dumps(each) for each in documents)
        await self.resources.apply(text, mode="upsert")

    async def until(self, condition):
        async with asyncio.timeout(15):
            while not condition():
                await asyncio.sleep(0.005)

    async def probed(self, count=1):
        await self.until(lambda: len(self.events) >= count)


@pytest.fixture
async def house():
    house = House()
    await house.clusters.start()
    house.fleet.start()
    yield house
    house.routes.close()
    await house.clusters.close()
    await house.store.close()


@pytest.fixture
async def server():
    async with Cluster(api_server).serving() as cluster:
        cluster.url = f"http://127.0.0.1:{cluster.port}"
        yield cluster


async def test_a_registered_cluster_has_a_route_and_a_status(house, server):
    assert house.fleet.status("west") == "unknown"
    await house.apply(document("west", server.url))
    await house.until(lambda: house.routes.find("west"))
    route = house.routes.find("west")
    await house.probed()

    assert (route.cluster.name, dict(route.cluster.labels)) == ("west", {"env": "dev"})
    assert route.upstream.dialer.identity() == [
        (b"Host", f"127.0.0.1:{server.port}".encode()),
        (b"Authorization", b"Bearer t"),
    ]
    assert house.fleet.status("west") == "ok"
    [event] = house.events
    assert (event.type, event.cluster, event.outcome.code) == ("cluster.register", "west", 200)
    assert event.details["version"] == "v1.34.0"


async def test_new_labels_make_a_new_route_and_the_old_decisions_die_with_the_old(house, server):
    await house.apply(document("west", server.url))
    await house.until(lambda: house.routes.find("west"))
    old = house.routes.find("west")
    await house.apply(document("west", server.url, env="prod"))
    await house.until(lambda: house.routes.find("west") is not old)
    new = house.routes.find("west")
    await house.probed()

    assert dict(new.cluster.labels) == {"env": "prod"}
    assert new.generation != old.generation


async def test_a_document_that_did_not_change_keeps_its_connections(house, server):
    await house.apply(document("west", server.url))
    await house.until(lambda: house.routes.find("west"))
    route = house.routes.find("west")
    await house.probed()
    house.fleet.changed("west")
    assert house.routes.find("west") is route


async def test_a_removed_cluster_has_no_route(house, server):
    await house.apply(document("west", server.url))
    await house.probed()
    await house.resources.delete("cluster", "west")
    await house.until(lambda: house.routes.find("west") is None)
    assert house.fleet.status("west") == "unknown"


async def test_a_cluster_that_is_down_is_unreachable_and_still_has_a_route(house):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        await house.apply(document("west", url))
        await house.probed()
    assert house.fleet.status("west") == "unreachable"
    assert house.routes.find("west") is not None
    assert house.events[0].outcome.code == 503


async def test_a_cluster_that_cannot_be_trusted_is_not_reached_at_all(house, server, monkeypatch):
    """A certificate that OpenSSL does not take, though it looked like one."""
    await house.apply(document("west", server.url))
    await house.probed()

    def broken(**_):
        raise ValueError("no certificate")

    monkeypatch.setattr("plane.fleet.client_context", broken)
    await house.apply(document("west", server.url.replace("http:", "https:")))
    await house.until(lambda: house.routes.find("west") is None)
