"""`plane start` on its own, and what it says of clusters.

Proves:
- without a configuration it comes up with a store, authorities and an invite for the first admin
- with too few rights on a cluster it names what is missing and the manifest that grants it
- a cluster that is down is answered with a Status that names it, within 5 seconds
"""

import json
import time

import pytest
import yaml
from cluster.wait import wait_for
from world import PlaneServer
from world.browser import Browser
from world.person import Person

PASSWORD = "correct horse battery staple"


@pytest.fixture
def server(tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps({"apiVersion": "v1", "kind": "Config"}))
    made = PlaneServer(tmp_path / "server", kubeconfig=kubeconfig, labels={})
    yield made
    made.stop()


def context(name, address, user):
    return {
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": name, "cluster": address}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }  # fmt: skip


def somebody(server, tmp_path, kubectl):
    browser = Browser(answers={"password": PASSWORD}, ca_file=server.ca_file)
    browser.visit(server.invite)
    admin = Person("admin", tmp_path / "admin", server=server, kubectl=kubectl)
    admin.log_in_locally(PASSWORD)
    told = admin.plane("ctl", "users", "add", "joe", "--roles=access", "--k8s-groups=developers")
    browser.visit(next(word for word in told.split() if "/invite/" in word))
    browser.close()
    joe = Person("joe", tmp_path / "joe", server=server, kubectl=kubectl)
    joe.log_in_locally(PASSWORD)
    return joe


def test_missing_rights_are_named_with_the_manifest_that_grants_them(
    server, tmp_path, cluster_west
):
    cluster_west.kubectl("create", "serviceaccount", "powerless", "-n", "default")
    token = cluster_west.kubectl("-n", "default", "create", "token", "powerless").strip()
    shown = cluster_west.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
    address = json.loads(shown)["clusters"][0]["cluster"]
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(context("west", address, {"token": token})))
    server.start()
    wait_for(
        "the self-test",
        lambda: "impersonat" in server.output,
        seconds=20,
        evidence=lambda: server.output,
    )
    assert "impersonator.yaml" in server.output


def test_a_cluster_that_is_down_is_named_within_five_seconds(server, tmp_path, kubectls):
    address = {"server": "https://127.0.0.1:9", "insecure-skip-tls-verify": True}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(context("gone", address, {"token": "t"})))
    server.start()
    joe = somebody(server, tmp_path, kubectls[-1])
    joe.plane("kube", "login", "gone")
    began = time.monotonic()
    done = joe.try_kubectl("get", "--raw", "/api/v1/pods")
    assert time.monotonic() - began < 5
    assert done.returncode == 1
    assert "gone" in done.stderr
