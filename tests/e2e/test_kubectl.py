"""Plain kubectl through plane, oldest and newest.

Proves:
- get, describe, apply, patch, delete, api-resources, explain answer as the cluster itself does
- `get -w` and `logs -f` deliver as it happens, not at the end
- `auth whoami` shows the person and the groups of the role; `auth can-i` the cluster's own answer
- a refusal of the cluster's RBAC reaches the person unchanged
"""

import json
import subprocess
import threading

import pytest
from cluster.wait import wait_for

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: e2e}
data: {colour: green}
"""


@pytest.fixture
def configmap(alice, kubectl, namespace):
    alice.kubectl("apply", "-f", "-", stdin=CONFIG, program=kubectl)
    yield "settings"
    alice.kubectl("-n", namespace, "delete", "configmap", "settings", "--ignore-not-found")


def test_get_answers_as_the_cluster_does(alice, kubectl, cluster_west, namespace, pod):
    through = alice.kubectl("-n", namespace, "get", "pod", pod, "-o", "json", program=kubectl)
    direct = cluster_west.kubectl("-n", namespace, "get", "pod", pod, "-o", "json")
    assert json.loads(through) == json.loads(direct)


def test_get_prints_the_servers_table(alice, kubectl, namespace, pod):
    assert "Running" in alice.kubectl("-n", namespace, "get", "pods", program=kubectl)


def test_describe(alice, kubectl, namespace, pod):
    told = alice.kubectl("-n", namespace, "describe", "pod", pod, program=kubectl)
    assert "Node:" in told
    assert "Events:" in told


def test_apply_patch_and_delete(alice, kubectl, namespace, configmap):
    patch = '{"data":{"colour":"blue"}}'
    alice.kubectl("-n", namespace, "patch", "configmap", configmap, "-p", patch, program=kubectl)
    colour = ("get", "configmap", configmap, "-o", "jsonpath={.data.colour}")
    assert alice.kubectl("-n", namespace, *colour, program=kubectl) == "blue"
    again = alice.kubectl("apply", "-f", "-", stdin=CONFIG, program=kubectl)
    assert "configured" in again
    alice.kubectl("-n", namespace, "delete", "configmap", configmap, program=kubectl)
    gone = alice.try_kubectl("-n", namespace, *colour, program=kubectl)
    assert gone.returncode == 1
    assert "NotFound" in gone.stderr


def test_api_resources(alice, kubectl):
    names = alice.kubectl("api-resources", "-o", "name", program=kubectl).split()
    assert {"pods", "deployments.apps", "configmaps"} <= set(names)


def test_explain(alice, kubectl):
    assert "containers" in alice.kubectl("explain", "pod.spec", program=kubectl)


def test_whoami_is_the_person_and_the_roles_groups(alice, kubectls):
    # Not parametrized: whoami of 1.27 and before asks for an API version that is gone.
    told = json.loads(alice.kubectl("auth", "whoami", "-o", "json", program=kubectls[-1]))
    info = told["status"]["userInfo"]
    assert info["username"] == "alice@example.com"
    assert sorted(info["groups"]) == ["developers", "system:authenticated"]


def test_can_i_yes_and_no(alice, kubectl):
    assert alice.kubectl("auth", "can-i", "create", "pods", program=kubectl).strip() == "yes"
    refused = alice.try_kubectl(
        "auth", "can-i", "create", "customresourcedefinitions.apiextensions.k8s.io", program=kubectl
    )
    assert refused.returncode == 1
    assert "no" in refused.stdout


def test_a_refusal_of_the_cluster_comes_through_unchanged(carol, kubectl):
    refused = carol.try_kubectl("--context", "plane-east", "get", "secrets", program=kubectl)
    assert refused.returncode == 1
    assert 'User "carol@example.com" cannot list resource "secrets"' in refused.stderr


def follow(person, program, *words):
    """Run a command that does not end, and collect its lines as they come."""
    child = subprocess.Popen(
        person.kubectl_command(*words, program=program),
        env={**person.env, **program.env},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines = []
    # Appended one by one: extend() would show them only at the end.
    reader = threading.Thread(target=lambda: [lines.append(line) for line in child.stdout])
    reader.start()
    return child, lines, reader


def end(child, reader):
    child.kill()
    child.wait()
    reader.join()
    child.stdout.close()


def test_a_watch_shows_changes_as_they_happen(alice, kubectl, namespace, configmap):
    words = ("-n", namespace, "get", "configmaps", "-w", "--output-watch-events")
    child, lines, reader = follow(alice, kubectl, *words)
    try:
        wait_for(
            "the first event",
            lambda: any("settings" in line for line in lines),
            evidence=lambda: str(lines),
        )
        label = ("label", "configmap", configmap, "seen=yes")
        alice.kubectl("-n", namespace, *label)
        wait_for(
            "the change",
            lambda: any("MODIFIED" in line for line in lines),
            seconds=5,
            evidence=lambda: str(lines),
        )
    finally:
        end(child, reader)


def test_logs_follow(alice, kubectl, namespace, pod, real_node):
    child, lines, reader = follow(alice, kubectl, "-n", namespace, "logs", "-f", "--tail=1", pod)
    try:
        wait_for("three lines", lambda: len(lines) >= 3, seconds=10, evidence=lambda: str(lines))
        numbers = [int(line.split()[1]) for line in lines[:3]]
        assert numbers == list(range(numbers[0], numbers[0] + 3))
    finally:
        end(child, reader)
