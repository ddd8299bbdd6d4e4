"""kubernetes-asyncio, the client library, through plane with its own websocket exec.

Proves:
- a client that is not kubectl reads a plane kubeconfig, credential plugin included
- list, watch and exec over the library's WebSocket (v4.channel.k8s.io) work, and exec is recorded
"""

import asyncio

import pytest
from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.stream import WsApiClient

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own


@pytest.fixture
async def api(alice, monkeypatch):
    # The library starts the plugin with this process's environment.
    for name in ("PATH", "PLANE_HOME", "PLANE_PROXY"):
        monkeypatch.setenv(name, alice.env[name])
    settings = client.Configuration()
    await config.load_kube_config(config_file=str(alice.kubeconfig), client_configuration=settings)
    return settings


async def test_lists_and_watches(api, namespace, pod):
    async with client.ApiClient(api) as connection:
        core = client.CoreV1Api(connection)
        names = [each.metadata.name for each in (await core.list_namespaced_pod(namespace)).items]
        assert pod in names
        async with asyncio.timeout(20), watch.Watch() as follow:
            async for event in follow.stream(core.list_namespaced_pod, namespace):
                assert event["type"] == "ADDED"
                break


@pytest.mark.node
async def test_websocket_exec_works_and_is_recorded(api, admin, namespace, pod, real_node):
    async with WsApiClient(api) as connection:
        core = client.CoreV1Api(connection)
        async with asyncio.timeout(20):
            said = await core.connect_get_namespaced_pod_exec(
                pod, namespace, command=["echo", "from the library"],
                stdout=True, stderr=True, stdin=False, tty=False,
            )  # fmt: skip
    assert said.strip() == "from the library"
    newest = admin.plane_json("recordings", "ls")[0]
    assert newest["command"] == ["echo", "from the library"]
