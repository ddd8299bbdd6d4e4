"""What a line of the audit log looks like."""

import json
import random
from dataclasses import replace
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from plane.audit.events import Actor, Event, EventType, ObjectRef, Outcome, Stage
from plane.audit.line import _instant, encode
from plane.clock import from_rfc3339, rfc3339
from policies.model import Decision

BARE = Event(type=EventType.SERVER_START, audit_id="a", time=1764000000.0, received=1764000000.0)
FULL = Event(
    type=EventType.KUBE_REQUEST,
    audit_id="0b0c",
    stage=Stage.RESPONSE_COMPLETE,
    time=1764000001.5,
    received=1764000000.25,
    actor=Actor(
        username="joe",
        connector="corp",
        subject="sub-1",
        session="s-1",
        roles=("access",),
        traits_digest="sha256:ab",
    ),
    source_ip="10.1.2.3",
    user_agent="kubectl/v1.33",
    cluster="west",
    cluster_labels={"env": "dev"},
    verb="exec",
    path="/api/v1/namespaces/default/pods/web/exec",
    object_ref=ObjectRef(
        api_version="v1", resource="pods", subresource="exec", namespace="default", name="web"
    ),
    impersonated_user="joe",
    impersonated_groups=("dev", "system:authenticated"),
    decision=Decision(allowed=False, reason="denied", role="access", rule="deny[0]"),
    policy_revision=7,
    outcome=Outcome(code=403, reason="Forbidden", message="no"),
    details={"command": ["sh", "-c", "id"]},
)


def test_a_full_event_has_the_names_of_audit_k8s_io():
    assert json.loads(encode(FULL, seq=9, writer="w")) == {
        "seq": 9,
        "writer": "w",
        "type": "kube.request",
        "auditID": "0b0c",
        "stage": "ResponseComplete",
        "stageTimestamp": "2025-11-24T16:00:01.500Z",
        "requestReceivedTimestamp": "2025-11-24T16:00:00.250Z",
        "user": {
            "username": "joe",
            "connector": "corp",
            "subject": "sub-1",
            "session": "s-1",
            "roles": ["access"],
            "traitsDigest": "sha256:ab",
        },
        "sourceIPs": ["10.1.2.3"],
        "userAgent": "kubectl/v1.33",
        "cluster": "west",
        "clusterLabels": {"env": "dev"},
        "verb": "exec",
        "path": "/api/v1/namespaces/default/pods/web/exec",
        "objectRef": {
            "apiVersion": "v1",
            "resource": "pods",
            "subresource": "exec",
            "namespace": "default",
            "name": "web",
        },
        "impersonatedUser": {"username": "joe", "groups": ["dev", "system:authenticated"]},
        "decision": {
            "allowed": False,
            "role": "access",
            "rule": "deny[0]",
            "reason": "denied",
            "policyRevision": 7,
        },
        "responseStatus": {"code": 403, "reason": "Forbidden", "message": "no"},
        "details": {"command": ["sh", "-c", "id"]},
    }


def test_empty_fields_are_left_out():
    assert set(json.loads(encode(BARE, seq=1, writer="w"))) == {
        "seq",
        "writer",
        "type",
        "auditID",
        "stage",
        "stageTimestamp",
        "requestReceivedTimestamp",
    }


@given(st.text() | st.text(st.characters(categories=["Cc", "Zl", "Zp"])))
def test_log_injection_no_client_text_begins_a_line_of_its_own(text):
    line = encode(replace(FULL, user_agent=text, path=text), seq=1, writer="w")
    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")
    assert json.loads(line).get("userAgent", "") == text


def test_a_lone_surrogate_does_not_cost_the_event():
    line = encode(
        replace(FULL, user_agent="a\udcffb", details={"x": ["\ud800"]}), seq=1, writer="w"
    )
    assert json.loads(line)["userAgent"] == "a\\udcffb"
    assert json.loads(line)["details"] == {"x": ["\\ud800"]}


def test_any_mapping_is_an_object():
    labels = MappingProxyType({"env": "dev"})
    line = encode(replace(FULL, cluster_labels=labels), seq=1, writer="w")
    assert json.loads(line)["clusterLabels"] == {"env": "dev"}


def test_instants_are_those_of_the_clock_module():
    chance = random.Random(7)
    for _ in range(1000):
        moment = chance.uniform(0, 4e9)
        # Rounding at a half microsecond may differ, which moves a millisecond at most.
        assert abs(from_rfc3339(_instant(moment)) - from_rfc3339(rfc3339(moment))) <= 0.0011
    for moment in (0.0, 1.0, 1764000000.5, 1764000000.999):
        assert _instant(moment) == rfc3339(moment)
