import pytest
import yaml

from policies.errors import PolicyError
from policies.parse import parse_role
from policies.presets import PRESETS
from policies.testing import read_test, run_test

ROLES = {role.name: role for role in map(parse_role, PRESETS)}


def results(spec):
    text = f"kind: policy_test\nversion: v1\nmetadata: {{name: t}}\nspec:\n{spec}"
    return run_test(read_test(yaml.safe_load(text)), ROLES)


def problems(case):
    given = "  traits: {kubernetes_groups: [dev]}\n  roles: [access]\n"
    return [p for r in results(f"{given}  cases: [{case}]") for p in r.problems]


def test_as_expected():
    assert (
        problems("{name: a, request: get pods/x -n y, expect: {decision: allow, groups: [dev]}}")
        == []
    )


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("{request: get pods/x -n y, expect: deny}", "expected deny, got allow: role access"),
        (
            "{roles: [], request: get pods/x -n y, expect: allow}",
            "expected allow, got deny: no role",
        ),
        (
            "{request: get pods/x -n y, expect: {groups: [ops]}}",
            "groups: expected [ops], got [dev]",
        ),
        ("{request: get pods/x -n y, expect: {users: [joe]}}", "users: expected [joe], got []"),
        ("{request: get pods/x -n y, expect: {role: dev}}", "role: expected dev, got access"),
        ("{request: get pods/x -n y, expect: {rule: x}}", "rule: expected x, got the default"),
        (
            "{request: get pods/x -n y, expect: {reason: because}}",
            "reason: expected one with 'because'",
        ),
        ("{request: list pods -A, expect: {partial: true}}", "partial: expected True, got False"),
        ("{request: list pods -A, expect: {hides: [y/x]}}", "y/x: expected hidden"),
        ("{roles: [], request: list pods -A, expect: {shows: [y/x]}}", "y/x: expected shown"),
        ("{visible: false}", "visible: expected False, got True"),
        ("{api: read role, expect: allow}", "expected allow, got deny: no role allows read role"),
        ("{roles: [nobody], request: get pods -A}", "there is no role nobody"),
    ],
)
def test_a_difference_is_told(case, words):
    assert any(words in problem for problem in problems(case))


def test_each_request_is_a_result():
    found = results("  roles: [access]\n  cases: [{name: a, requests: [get /api, get /apis]}]")
    assert [(r.case, r.asked, r.passed) for r in found] == [
        ("a", "get /api", True),
        ("a", "get /apis", True),
    ]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("  cases: [{name: a}]", "spec.cases[0]"),
        ("  cases: [{request: get pod/x}]", "spec.cases[0].request"),
        ("  cases: [{requests: [{verbs: get}]}]", "spec.cases[0].requests[0].verbs"),
        ("  cases: [{api: read}]", "spec.cases[0].api"),
        ("  cases: [{request: get /x, expect: perhaps}]", "spec.cases[0].expect.decision"),
        ("  cases: [{request: get /x, expect: {grps: []}}]", "spec.cases[0].expect.grps"),
        (
            "  roles: [{kind: role, version: v8, metadata: {name: x}, spec: {alow: {}}}]",
            "spec.roles[0].spec.alow",
        ),
        ("  suites: []", "spec.suites"),
    ],
)
def test_a_faulty_document_is_refused_with_the_path(spec, path):
    with pytest.raises(PolicyError) as caught:
        results(spec)
    assert path in dict(caught.value.problems)


def test_other_documents_are_refused():
    with pytest.raises(PolicyError):
        read_test({"kind": "role", "version": "v8"})
