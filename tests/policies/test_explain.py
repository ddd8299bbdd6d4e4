import strategies as some
from hypothesis import given, settings

from policies.decide import decide
from policies.explain import explain
from policies.model import Cluster, Subject
from policies.parse import parse_role
from policies.phrase import parse_request

EAST = Cluster(name="east", labels={"env": "dev"})
ALICE = Subject(name="alice", traits={"team": ("shop",)})


def role(name, **spec):
    return parse_role({"kind": "role", "version": "v8", "metadata": {"name": name}, "spec": spec})


SHOP = role(
    "shop",
    allow={
        "kubernetes_labels": {"env": "dev"},
        "kubernetes_groups": ["{{external.team}}"],
        "kubernetes_resources": [
            {"kind": "pods", "namespace": "shop", "name": "web-*", "verbs": ["get", "list"]}
        ],
    },
)
PROD = role("prod", allow={"kubernetes_labels": {"env": "prod"}})
NEVER = role("never", deny={"kubernetes_labels": {"env": "prod"}})


def story(phrase, *roles, cluster=EAST):
    told = explain(roles, ALICE, cluster, parse_request(phrase))
    return told.decision.allowed, [str(each) for each in told.roles]


def test_the_matching_rule_and_the_silent_role():
    assert story("get pods/web-1 -n shop", SHOP, PROD) == (
        True,
        [
            "shop: allows (allow.kubernetes_resources[0]) pods web-* in shop",
            "prod: - does not select the cluster: label env=dev",
        ],
    )


def test_each_predicate_that_fails_is_named():
    for phrase, why in (
        ("get secrets/x -n shop", "kind pods, not secrets"),
        ("get pods.metrics.k8s.io/x -n shop", "api_group '', not 'metrics.k8s.io'"),
        ("get pods/web-1 -n other", "namespace 'shop', not 'other'"),
        ("get pods/db -n shop", "name 'web-*', not 'db'"),
        ("exec pods/web-1 -n shop", "get, list, not exec"),
    ):
        assert story(phrase, SHOP) == (
            False,
            [f"shop: - its closest rule allow.kubernetes_resources[0] is for {why}"],
        )


def test_a_denied_cluster_and_a_denied_object():
    prod = Cluster(name="west", labels={"env": "prod"})
    assert story("get /version", PROD, NEVER, cluster=prod)[1][1] == (
        "never: denies (deny.kubernetes_labels) the cluster"
    )
    rule = {"kind": "pods", "namespace": "*", "name": "*", "verbs": ["exec"]}
    shut = role("shut", deny={"kubernetes_resources": [rule]})
    assert story("exec pods/x -n y", shut)[1] == [
        "shut: denies (deny.kubernetes_resources[0]) pods * in *"
    ]


def test_the_principals_are_shown():
    lines = explain([SHOP], ALICE, EAST, parse_request("get pods/web-1 -n shop")).lines()
    assert lines[0].startswith("allowed: role shop")
    assert lines[-1] == "  as user the person's own name, groups shop"


@settings(max_examples=120, deadline=None)
@given(some.roles, some.subjects, some.clusters, some.requests)
def test_the_story_agrees_with_the_decision(roles, subject, cluster, request):
    told = explain(roles, subject, cluster, request)
    verdicts = [each.verdict for each in told.roles]
    assert told.decision == decide(roles, subject, cluster, request)
    if told.decision.allowed:
        assert "denies" not in verdicts
        assert "allows" in verdicts
    elif "denies" not in verdicts and "allows" in verdicts:
        assert " allows it (" in told.decision.reason
