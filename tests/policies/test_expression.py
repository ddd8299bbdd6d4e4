import pytest

from policies.errors import EvaluationError, SyntaxProblem
from policies.expression import WHERE_NAMES, Scope, compile_expression


def scope(**more):
    return Scope(user="alice", traits={"a": ("x", "y")}, labels={"env": "prod"}, context={}, **more)


@pytest.mark.parametrize(
    "source",
    [
        "true",
        "!false",
        'labels["env"] == "prod"',
        '"x" != "y"',
        'equals(labels.env, "prod")',
        'contains(user.spec.traits["a"], "y")',
        "is_empty(user.spec.traits.b)",
        'strings.upper(labels.env) == "PROD"',
        'regexp.match(user.spec.traits.a, "^[y-z]$")',
        'regexp.replace(labels.env, "^p(.*)$", "$1") == "rod"',
        'contains(set("x"), "x")',
        'user.metadata.name == "alice"',
        'email.local("a@b.c") == "a"',
        "not not true",
    ],
)
def test_true_expressions(source):
    assert compile_expression(source).holds(scope())


@pytest.mark.parametrize(
    "source",
    [
        'labels["env"]',
        "user.spec.traits.a",
        '"prod"',
        'user.spec.traits.a == "x"',
        "unknown",
        "labels",
        "labels.a.b",
        "user.spec.roles",
        "f(labels.env)",
        'contains("a", "b")',
        "contains(user.spec.traits.a)",
        "regexp.match(labels.env, labels.env)",
        "!labels.env",
        'regexp.match(labels.env, "^(?=a)$")',
        "resource.metadata.name == labels.env",
        "true == labels.env",
        "is_empty(labels.env)",
        "strings.lower(true)",
        "labels_matching(labels.env)",
        "set(true)",
    ],
)
def test_what_cannot_be_judged_is_refused_when_the_role_is_read(source):
    with pytest.raises(SyntaxProblem):
        compile_expression(source)


def test_where_knows_the_session_and_says_when_it_does_not():
    where = compile_expression(
        "contains(session.participants, user.metadata.name)", names=WHERE_NAMES
    )
    known = Scope(user="a", traits={}, labels={}, context={"session.participants": ("a",)})
    assert where.holds(known)
    with pytest.raises(EvaluationError):
        where.holds(scope())


def test_where_refuses_names_that_it_will_never_know():
    with pytest.raises(SyntaxProblem, match=r"session\.nope"):
        compile_expression('session.nope == "x"', names=WHERE_NAMES)
