import pytest
import yaml

from policies.errors import PolicyError
from policies.parse import parse_role


def document(text):
    return yaml.safe_load(text)


def role(spec="{}", *, version="v8"):
    return document(f"kind: role\nversion: {version}\nmetadata: {{name: dev}}\nspec: {spec}\n")


def problems(doc):
    with pytest.raises(PolicyError) as caught:
        parse_role(doc)
    return dict(caught.value.problems)


def rule(version="v8", side="allow", **fields):
    doc = role(version=version)
    doc["spec"] = {side: {"kubernetes_labels": {"*": "*"}, "kubernetes_resources": [fields]}}
    return doc


AT = "spec.allow.kubernetes_resources[0]"
FULL = {"kind": "pods", "namespace": "*", "name": "*", "verbs": ["*"]}


def test_the_smallest_role():
    parsed = parse_role(role())
    assert (parsed.name, parsed.version, parsed.warnings) == ("dev", "v8", ())
    assert repr(parsed) == "Role('dev', v8)"


def test_all_problems_are_told_at_once_with_their_paths():
    found = problems(
        document("""
        kind: roll
        version: v9
        extra: 1
        metadata: {name: "a b", colour: red}
        spec:
          permit: {}
          allow:
            kubernetes_lables: {}
            kubernetes_groups: [1, "{{nope.x}}"]
            kubernetes_resources: [{kind: pod, namespace: a, name: b, verbs: [look]}]
          options: {max_session_ttl: 8, ttl: 1h}
        """)
    )
    assert set(found) == {
        "kind",
        "version",
        "extra",
        "metadata.name",
        "metadata.colour",
        "spec.permit",
        "spec.allow.kubernetes_lables",
        "spec.allow.kubernetes_groups[0]",
        "spec.allow.kubernetes_groups[1]",
        f"{AT}.kind",
        f"{AT}.verbs",
        "spec.options.max_session_ttl",
        "spec.options.ttl",
    }
    assert "kubernetes_labels" in found["spec.allow.kubernetes_lables"]


@pytest.mark.parametrize("value", [None, [], "text", 7, {"kind": "role"}, {1: 2}])
def test_what_is_no_role_is_refused(value):
    with pytest.raises(PolicyError):
        parse_role(value)


def test_foreign_fields_are_listed_in_one_warning():
    parsed = parse_role(
        role("""
  allow: {logins: [root], node_labels: {"*": "*"}, db_names: ["*"], app_labels: {}, join_sessions: [{name: x}]}
  deny: {node_labels: {env: prod}}
  options: {forward_agent: true, enhanced_recording: [command], record_session: {ssh: strict, default: strict}}
""")
    )
    assert len(parsed.warnings) == 1
    for name in ("allow.logins", "allow.node_labels", "deny.node_labels", "options.forward_agent"):
        assert name in parsed.warnings[0]
    assert "allow.app_labels" not in parsed.warnings[0]
    assert parsed.options.record_session == "strict"


def test_restrictions_that_cannot_be_held_are_refused_rather_than_ignored():
    found = problems(
        role("""
  allow: {require_session_join: [{name: two eyes, kinds: [k8s], count: 1}]}
  options: {device_trust_mode: required}
""")
    )
    assert set(found) == {"spec.allow.require_session_join[0]", "spec.options.device_trust_mode"}


def test_restrictions_of_other_protocols_are_no_problem():
    parse_role(
        role("""
  allow: {require_session_join: [{name: two eyes, kinds: [ssh], count: 1}]}
  options: {device_trust_mode: "off"}
""")
    )


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("pod", "pods"),
        ("kube_node", "nodes"),
        ("deployment", "deployments"),
        ("kube_role", "roles"),
    ],
)
def test_a_singular_name_in_v8_is_refused_with_the_hint(kind, plural):
    for group in ("*", ""):
        found = problems(rule(**{**FULL, "kind": kind, "api_group": group}))
        assert plural in found[f"{AT}.kind"]


def test_a_singular_name_of_a_stranger_is_fine():
    parse_role(rule(**{**FULL, "kind": "pod", "api_group": "example.com"}))


def test_a_plural_name_in_v7_is_refused_with_the_hint():
    assert "write pod in v7" in problems(rule("v7", **FULL))[f"{AT}.kind"]
    crd = {**FULL, "kind": "widgets"}
    assert "need version v8" in problems(rule("v7", **crd))[f"{AT}.kind"]


@pytest.mark.parametrize("version", ["v3", "v4", "v5", "v6"])
def test_older_roles_limit_only_pods_and_all_verbs(version):
    parse_role(rule(version, kind="pod", namespace="*", name="*"))
    secret = problems(rule(version, kind="secret", namespace="*", name="*", verbs=["get"]))
    assert set(secret) == {f"{AT}.kind", f"{AT}.verbs"}


@pytest.mark.parametrize("version", ["v3", "v4", "v5", "v6", "v7"])
def test_api_groups_came_with_v8(version):
    found = problems(
        rule(version, kind="pod", api_group="apps", namespace="a", name="b", verbs=["*"])
    )
    assert f"{AT}.api_group" in found


def test_a_group_is_required_except_for_core_kinds():
    parse_role(rule(**FULL))
    found = problems(rule(**{**FULL, "kind": "deployments"}))
    assert "api_group: apps" in found[f"{AT}.api_group"]
    assert f"{AT}.api_group" in problems(rule(**{**FULL, "kind": "widgets"}))
    assert f"{AT}.api_group" in problems(rule(**{**FULL, "kind": "*"}))


@pytest.mark.parametrize("missing", ["kind", "name", "verbs", "namespace"])
def test_a_rule_needs_its_fields(missing):
    fields = {key: value for key, value in FULL.items() if key != missing}
    assert any(missing in path for path in problems(rule(**fields)))


@pytest.mark.parametrize("side", ["allow", "deny"])
def test_a_rule_without_verbs_is_refused_on_both_sides(side):
    """In Teleport it matches nothing, which on the deny side opens what was to be shut."""
    fields = {key: value for key, value in FULL.items() if key != "verbs"}
    assert f"spec.{side}.kubernetes_resources[0].verbs" in problems(rule(side=side, **fields))


def test_cluster_wide_kinds_need_no_namespace():
    parse_role(rule(kind="nodes", name="*", verbs=["get"]))
    parse_role(rule("v7", kind="clusterrole", name="*", verbs=["get"]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verbs", ["*", "get"]),
        ("verbs", ["attach"]),
        ("verbs", ["GET"]),
        ("verbs", "get"),
        ("kind", "pods*"),
        ("kind", "^pods$"),
        ("kind", "Pods"),
        ("kind", "pods/exec"),
        ("name", "^web"),
        ("name", "^(?=web).*$"),
        ("name", "{{external.a}}{{external.b}}"),
        ("namespace", "^(a**)$"),
        ("api_group", "^($"),
        ("name", 7),
        ("nmae", "x"),
    ],
)
def test_a_fault_in_a_rule_is_told_at_its_field(field, value):
    found = problems(rule(**{**FULL, field: value}))
    assert any(path.startswith(f"{AT}.{field}") for path in found)


@pytest.mark.parametrize(
    "labels",
    [{"*": "prod"}, {"*": ["*", "x"]}, {"env": []}, {"env": 7}, {"env": "^x"}, ["env"], {"a": {}}],
)
def test_faulty_labels_are_refused(labels):
    doc = role()
    doc["spec"] = {"allow": {"kubernetes_labels": labels}}
    assert all(path.startswith("spec.allow.kubernetes_labels") for path in problems(doc))


def test_star_star_beside_other_labels_is_warned_of():
    doc = role()
    doc["spec"] = {"allow": {"kubernetes_labels": {"*": "*", "env": "prod"}}}
    assert "selects every cluster" in parse_role(doc).warnings[0]


@pytest.mark.parametrize(
    "group", ["*", "a\nb", "", "ü", "system:{{external.x}}", "{{external.x", "x" * 2000, None, " a"]
)
def test_groups_that_could_never_be_sent_are_refused(group):
    doc = role()
    doc["spec"] = {"allow": {"kubernetes_groups": [group]}}
    if group is None:
        assert "spec.allow.kubernetes_groups[0]" in problems(doc)
    else:
        assert list(problems(doc)) == ["spec.allow.kubernetes_groups[0]"]


def test_unquoted_yaml_is_told_to_be_quoted():
    doc = document("kind: role\nversion: v8\nmetadata: {name: 7}\nspec: {}")
    assert "quote" in problems(doc)["metadata.name"]


def test_an_expression_that_does_not_parse_is_refused_with_its_place():
    doc = role()
    doc["spec"] = {"allow": {"kubernetes_labels_expression": 'labels["env"] = "prod"'}}
    assert "column 15" in problems(doc)["spec.allow.kubernetes_labels_expression"]


def test_rules_name_what_plane_has_and_warn_of_the_rest():
    doc = role()
    rules = [
        {"resources": ["role", "saml_idp_service_provider"], "verbs": ["list", "readnosecrets"]}
    ]
    doc["spec"] = {"allow": {"rules": rules}}
    assert "saml_idp_service_provider" in parse_role(doc).warnings[0]
    doc["spec"] = {"allow": {"rules": [{"resources": [], "verbs": ["peek"], "where": "x("}]}}
    assert len(problems(doc)) == 3


def test_requests_reviews_and_impersonation_are_read():
    parsed = parse_role(
        role("""
  allow:
    impersonate: {users: [ci], roles: [deploy], where: 'contains(user.spec.traits["a"], "b")'}
    request:
      roles: [admin]
      search_as_roles: [access]
      max_duration: 8h
      thresholds: [{name: two, approve: 2, deny: 1}]
      annotations: {service: [pager]}
      kubernetes_resources: [{kind: pods, api_group: ""}]
      reason: {mode: required, prompt: "Which ticket?"}
    review_requests: {roles: [admin], preview_as_roles: [access]}
""")
    )
    assert parsed.allow.impersonate.roles == ("deploy",)
    assert parsed.allow.request.max_duration_seconds == 8 * 3600
    assert parsed.allow.request.thresholds[0].approve == 2
    assert parsed.allow.request.reason_required
    assert parsed.allow.reviews.preview_as_roles == ("access",)


def test_a_slip_in_requests_is_found():
    doc = role()
    doc["spec"] = {"deny": {"request": {"role": ["x"]}, "review_requests": {"where": "x("}}}
    found = problems(doc)
    assert set(found) == {"spec.deny.request.role", "spec.deny.review_requests.where"}


def test_the_seed_role_of_teleport_4_is_read():
    parsed = parse_role(
        document("""
        kind: role
        version: v3
        metadata: {name: admin}
        spec:
          allow:
            kubernetes_groups: ["system:masters", "{{external.trait_name}}"]
        """)
    )
    assert parsed.allow.labels is not None
    assert parsed.allow.labels.everything


def test_a_stored_role_keeps_its_metadata():
    doc = role()
    doc["metadata"] |= {
        "description": "d",
        "labels": {"a": "b"},
        "expires": "x",
        "id": 1,
        "revision": "r",
    }
    parsed = parse_role(doc)
    assert (parsed.description, parsed.labels) == ("d", {"a": "b"})


@pytest.mark.parametrize("name", ["", None, "a/b", "a b", "a\nb", "x" * 256])
def test_a_role_needs_a_usable_name(name):
    doc = role()
    doc["metadata"] = {"name": name}
    assert list(problems(doc)) == ["metadata.name"]
