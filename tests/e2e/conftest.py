"""One world for all e2e tests: two clusters, an OpenID provider, plane, and people who log in."""

import os

import pytest
from cluster import build, find_kubectls
from cluster.image import BUSYBOX
from cluster.wait import wait_for
from world import World

CI = bool(os.environ.get("PLANE_CI"))
NO_NODE = (
    "needs a real node: run as root on Linux (Debian packages are installed), or let "
    "PLANE_E2E_KUBECONFIG name the kubeconfig of any cluster, such as kind's"
)


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not accept: {report.longrepr}"


@pytest.fixture(scope="session")
def tell(request):
    """Progress on the terminal, past pytest's capture: the first build takes minutes."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    return lambda text: reporter.write_line(text) if reporter else None


@pytest.fixture(scope="session")
def kubectls(tell):
    """Every kubectl of this machine and the one that was built, oldest first."""
    return find_kubectls(build.kubernetes(tell=tell) / "kubectl")


@pytest.fixture(scope="session")
def world(tmp_path_factory, kubectls, tell):
    """The running world; its logs stay in pytest's temporary folder."""
    found = World(tmp_path_factory.mktemp("world"), kubectl=kubectls[-1], tell=tell)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        tell(f"\nlogs, audit and recordings of this run: {found.folder}")


@pytest.fixture(scope="session")
def cluster_west(world):
    """The development cluster, to be asked as its admin."""
    return world.clusters["west"]


@pytest.fixture(scope="session")
def cluster_east(world):
    """The production cluster."""
    return world.clusters["east"]


@pytest.fixture(scope="session")
def plane_server(world):
    """The plane in front of both."""
    return world.server


@pytest.fixture(scope="session")
def admin(world):
    """The administrator of plane, who reaches no cluster."""
    return world.admin


@pytest.fixture(scope="session")
def alice(world):
    """A developer: all of west, nothing of east."""
    person = world.person("alice")
    person.log_in(cluster="west")
    return person


@pytest.fixture(scope="session")
def carol(world):
    """On call: reads both clusters."""
    person = world.person("carol")
    person.log_in(cluster="east")
    return person


@pytest.fixture(scope="session")
def namespace(cluster_west):
    """A namespace of west whose default service account is there, so that pods can be made."""
    cluster_west.kubectl("create", "namespace", "e2e")
    account = "/api/v1/namespaces/e2e/serviceaccounts/default"
    wait_for("the service account", lambda: exists(cluster_west, account))
    return "e2e"


@pytest.fixture(scope="session")
def pod(cluster_west, namespace):
    """A running pod of west that writes a line each half second."""
    return make_pod(
        cluster_west,
        namespace,
        "worker",
        "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.5; done",
    )


@pytest.fixture
def real_node(cluster_west):
    """Skip where kwok plays the node."""
    if cluster_west.node != "real":
        pytest.skip(NO_NODE)


@pytest.fixture(params=["oldest", "newest", "newest-spdy"])
def kubectl(request, kubectls):
    """Three ways to speak: the oldest kubectl, the newest, and the newest made to speak SPDY."""
    chosen = {"oldest": kubectls[0], "newest": kubectls[-1], "newest-spdy": kubectls[-1].spdy()}
    return chosen[request.param]


@pytest.fixture(scope="session")
def pods(cluster_west, namespace):
    """Make further pods: pods(name, shell script, **fields of the container)."""
    return lambda name, script, **more: make_pod(cluster_west, namespace, name, script, **more)


def exists(cluster, path):
    try:
        return bool(cluster.kubectl("get", "--raw", path))
    except AssertionError:
        return False


def make_pod(cluster, namespace, name, script, **more):
    import json

    image = os.environ.get("PLANE_E2E_IMAGE", BUSYBOX)
    container = {"name": "main", "image": image, "command": ["sh", "-c", script]}
    container["imagePullPolicy"] = "Never" if image == BUSYBOX else "IfNotPresent"
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{**container, **more}]},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(document))
    waiting = ("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
    cluster.kubectl("-n", namespace, *waiting, timeout=90)
    return name
