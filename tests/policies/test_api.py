from policies.decide import api_decide
from policies.model import Subject
from policies.parse import parse_role


def role(**spec):
    return parse_role({"kind": "role", "version": "v8", "metadata": {"name": "r"}, "spec": spec})


def rule(where, **fields):
    return [{"resources": ["session"], "verbs": ["list"], "where": where, **fields}]


OWN = role(allow={"rules": rule("session.user == user.metadata.name")})


def asks(roles, **context):
    given = {key.replace("_", "."): value for key, value in context.items()}
    return api_decide(
        roles, Subject(name="alice"), resource="session", verb="list", context=given
    ).allowed


def test_where_sees_the_thing_asked_about():
    assert asks([OWN], session_user=("alice",))
    assert not asks([OWN], session_user=("bob",))


def test_a_where_without_its_context_denies():
    assert not asks([OWN])


def test_a_deny_whose_where_cannot_be_judged_denies():
    everything = role(allow={"rules": [{"resources": ["*"], "verbs": ["*"]}]})
    deny = role(deny={"rules": rule('session.user == "root"')})
    assert asks([everything, deny], session_user=("alice",))
    assert not asks([everything, deny], session_user=("root",))
    assert not asks([everything, deny])


def test_a_broken_role_denies():
    assert not asks([None])
