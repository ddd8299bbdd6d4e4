from policies.decide import api_decide, decide, visible
from policies.model import Cluster, Request, Subject
from policies.parse import parse_role
from policies.presets import PRESETS

ROLES = {role.name: role for role in map(parse_role, PRESETS)}
EAST = Cluster(name="east", labels={"env": "prod"})


def test_every_preset_parses_without_a_warning():
    assert [role.warnings for role in ROLES.values()] == [()] * len(PRESETS)


def test_the_presets_of_the_issue_exist():
    assert set(ROLES) == {
        "access",
        "editor",
        "auditor",
        "reviewer",
        "requester",
        "kube-access",
        "kube-editor",
        "kube-auditor",
    }


def test_access_gives_the_principals_of_the_traits():
    joe = Subject(name="joe", traits={"kubernetes_groups": ("dev",), "kubernetes_users": ("j",)})
    answer = decide([ROLES["access"]], joe, EAST, Request(verb="get", path="/version"))
    assert (answer.allowed, answer.users, answer.groups) == (True, ("j",), ("dev",))


def test_access_without_traits_reaches_no_cluster():
    answer = decide([ROLES["access"]], Subject(name="joe"), EAST, Request(verb="get", path="/api"))
    assert not answer.allowed
    assert "kubernetes_groups" in answer.reason


def test_auditors_and_editors_reach_no_cluster():
    joe = Subject(name="joe", traits={"kubernetes_groups": ("dev",)})
    for name in ("auditor", "editor", "reviewer", "requester"):
        assert not visible([ROLES[name]], joe, EAST)


def test_an_auditor_reads_recordings_and_an_editor_does_not():
    joe = Subject(name="joe")
    for name, allowed in (("auditor", True), ("editor", False)):
        answer = api_decide([ROLES[name]], joe, resource="recording", verb="read")
        assert answer.allowed is allowed


def test_kube_auditor_cannot_exec():
    joe = Subject(name="joe")
    look = Request(verb="get", resource="pods", namespace="shop", name="web")
    run = Request(verb="exec", resource="pods", subresource="exec", namespace="shop", name="web")
    assert decide([ROLES["kube-auditor"]], joe, EAST, look).groups == ("plane:view",)
    assert not decide([ROLES["kube-auditor"]], joe, EAST, run).allowed
