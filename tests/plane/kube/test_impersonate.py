import pytest

from plane.kube.impersonate import (
    ImpersonationError,
    Principals,
    assert_none,
    choose,
    head_lines,
)
from policies.model import Decision


def allowed(users=(), groups=()):
    return Decision(allowed=True, reason="", users=tuple(users), groups=tuple(groups))


def test_without_a_kubernetes_user_the_person_acts_as_itself():
    chosen = choose(allowed(groups=["dev"]), "alice", [])

    assert chosen == Principals(user="alice", groups=("dev", "system:authenticated"))


def test_one_kubernetes_user_is_taken():
    assert choose(allowed(users=["web"]), "alice", []).user == "web"


def test_several_users_and_no_choice_is_refused_with_the_choices():
    with pytest.raises(ImpersonationError, match="--as: a, b"):
        choose(allowed(users=["b", "a"]), "alice", [])


def test_the_client_may_choose_among_its_users():
    assert choose(allowed(users=["a", "b"]), "alice", [(b"Impersonate-User", b"b")]).user == "b"


def test_a_user_that_roles_do_not_give_is_refused():
    with pytest.raises(ImpersonationError):
        choose(allowed(users=["a"]), "alice", [(b"Impersonate-User", b"system:admin")])


def test_acting_as_oneself_by_name_is_allowed_when_roles_name_no_user():
    assert choose(allowed(), "alice", [(b"Impersonate-User", b"alice")]).user == "alice"


def test_a_wildcard_user_lets_the_client_choose_and_defaults_to_the_person():
    assert choose(allowed(users=["*"]), "alice", []).user == "alice"
    assert choose(allowed(users=["*"]), "alice", [(b"impersonate-user", b"bob")]).user == "bob"


def test_groups_can_be_narrowed_but_not_widened():
    decision = allowed(groups=["dev", "ops"])

    narrowed = choose(decision, "alice", [(b"Impersonate-Group", b"dev")])

    assert narrowed.groups == ("dev", "system:authenticated")
    with pytest.raises(ImpersonationError):
        choose(decision, "alice", [(b"Impersonate-Group", b"system:masters")])


@pytest.mark.parametrize(
    "name", [b"Impersonate-Uid", b"Impersonate-Extra-scopes", b"Impersonate_User", b"IMPERSONATE-X"]
)
def test_other_impersonation_headers_are_refused_not_dropped(name):
    with pytest.raises(ImpersonationError):
        choose(allowed(), "alice", [(name, b"x")])


def test_two_impersonated_users_are_refused():
    with pytest.raises(ImpersonationError):
        choose(
            allowed(users=["*"]), "a", [(b"Impersonate-User", b"x"), (b"Impersonate-User", b"y")]
        )


@pytest.mark.parametrize(
    "evil", ["x\r\nImpersonate-Group: system:masters", "a\nb", "a\x00b", "\x7f"]
)
def test_a_trait_with_line_breaks_is_never_sent(evil):
    with pytest.raises(ImpersonationError):
        choose(allowed(groups=[evil]), "alice", [])
    with pytest.raises(ImpersonationError):
        choose(allowed(), evil, [])


def test_a_person_named_like_a_system_user_is_refused():
    with pytest.raises(ImpersonationError):
        choose(allowed(), "system:admin", [])


def test_groups_are_separate_lines_never_comma_joined():
    lines = head_lines(Principals(user="a", groups=("x", "y,z")))

    assert lines == [
        (b"Impersonate-User", b"a"),
        (b"Impersonate-Group", b"x"),
        (b"Impersonate-Group", b"y,z"),
    ]


def test_a_left_over_impersonation_header_stops_the_request():
    with pytest.raises(ImpersonationError):
        assert_none([(b"impersonate_user", b"x")])
    assert_none([(b"Accept", b"x")])


def test_any_user_does_not_mean_the_clusters_own_users():
    with pytest.raises(ImpersonationError):
        choose(allowed(users=["*"]), "alice", [(b"Impersonate-User", b"system:admin")])
    named = allowed(users=["system:serviceaccount:ci:deployer"])
    assert choose(named, "alice", []).user == "system:serviceaccount:ci:deployer"
