"""Roles decide, on live streams too, and documents go in and out unharmed.

Proves:
- labels choose clusters; an unknown cluster looks exactly like a forbidden one
- deny comes before allow; an edited role acts at the next request and ends live streams within 2 s
- `get -o yaml | create -f -` changes nothing; an older revision cannot overwrite a newer one
- a bad document is refused whole, with file, document, line and field
"""

import re
import subprocess
import time

import pytest
import yaml
from world.person import succeeded


def refused(person, cluster):
    server = f"{person.server.url}/k8s/clusters/{cluster}"
    return person.try_kubectl("--server", server, "get", "--raw", "/api/v1/pods")


def test_a_forbidden_cluster_looks_like_one_that_does_not_exist(alice):
    forbidden, unknown = refused(alice, "east"), refused(alice, "nowhere")
    assert forbidden.returncode == unknown.returncode == 1
    audit_id = r"\(audit [0-9a-f-]+\)"
    said = [re.sub(audit_id, "", done.stderr) for done in (forbidden, unknown)]
    assert said[0].replace("east", "X") == said[1].replace("nowhere", "X")


@pytest.fixture
def developer(admin):
    """The role developer, put back as it was."""
    before = yaml.safe_load(admin.plane("ctl", "get", "role/developer", "-o", "yaml"))
    before = before["items"][0] if before.get("kind") == "List" else before
    before["metadata"].pop("revision", None)
    yield before
    admin.plane("ctl", "create", "--force", "-f", "-", stdin=yaml.safe_dump(before))


def denied(role):
    rule = {"kind": "configmaps", "api_group": "", "namespace": "*", "name": "*", "verbs": ["*"]}
    return yaml.safe_dump(
        {**role, "spec": {**role["spec"], "deny": {"kubernetes_resources": [rule]}}}
    )


def test_deny_comes_first_and_acts_at_the_next_request(alice, admin, developer):
    alice.kubectl("get", "configmaps")
    admin.plane("ctl", "create", "--force", "-f", "-", stdin=denied(developer))
    done = alice.try_kubectl("get", "configmaps")
    assert done.returncode == 1
    assert "Forbidden" in done.stderr
    alice.kubectl("get", "services")


def test_an_edited_role_ends_live_streams_within_two_seconds(alice, admin, developer):
    with subprocess.Popen(
        alice.kubectl_command("get", "--raw", "/api/v1/configmaps?watch=true"),
        env=alice.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        assert '"type":"ADDED"' in child.stdout.readline()
        admin.plane("ctl", "create", "--force", "-f", "-", stdin=denied(developer))
        began = time.monotonic()
        child.communicate(timeout=10)
        assert time.monotonic() - began < 2


def test_what_was_got_can_be_created_again_without_a_change(admin):
    for kind in ("role", "user", "oidc"):
        text = admin.plane("ctl", "get", kind, "-o", "yaml")
        again = admin.plane("ctl", "create", "-f", "-", stdin=text)
        assert "created" not in again
        assert "updated" not in again


def test_an_older_revision_cannot_overwrite_a_newer_one(admin, developer):
    mine = admin.plane("ctl", "get", "role/developer", "-o", "yaml")
    theirs = {**developer, "metadata": {**developer["metadata"], "description": "theirs"}}
    admin.plane("ctl", "create", "--force", "-f", "-", stdin=yaml.safe_dump(theirs))
    lost = admin.run(
        "plane", "ctl", "create", "--force", "-f", "-", stdin=mine.replace("Work on", "Play on")
    )
    assert lost.returncode == 1
    assert "theirs" in admin.plane("ctl", "get", "role/developer", "-o", "yaml")


def test_a_bad_document_is_refused_whole_with_its_place(admin, tmp_path):
    good = {"kind": "role", "version": "v8", "metadata": {"name": "halfway"}, "spec": {"allow": {}}}
    bad = {
        "kind": "role",
        "version": "v8",
        "metadata": {"name": "worse"},
        "spec": {"allow": {"kubernetes_labls": {}}},
    }
    file = tmp_path / "roles.yaml"
    file.write_text(yaml.safe_dump_all([good, bad]))
    done = admin.run("plane", "ctl", "create", "-f", str(file))
    assert done.returncode == 1
    assert "roles.yaml:2:" in done.stderr
    assert "spec.allow.kubernetes_labls" in done.stderr
    assert admin.run("plane", "ctl", "get", "role/halfway").returncode == 5


def test_rm_removes(admin):
    role = {"kind": "role", "version": "v8", "metadata": {"name": "brief"}, "spec": {"allow": {}}}
    succeeded(admin.run("plane", "ctl", "create", "-f", "-", stdin=yaml.safe_dump(role)))
    admin.plane("ctl", "rm", "role/brief")
    assert admin.run("plane", "ctl", "get", "role/brief").returncode == 5
