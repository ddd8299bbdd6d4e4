"""Claims are an outsider's words."""

import pytest

from connectors.claims import name_of, refuse_overage, roles_for, traits_of, verified
from connectors.errors import LoginRefused
from connectors.matching import mapping


def rules(*documents):
    return tuple(mapping(each, place="m") for each in documents)


def test_claims_become_lists_of_texts():
    traits = traits_of({"email": "a@b", "groups": ["x", "y", "x"], "level": 3, "ok": True})
    assert traits == {"email": ("a@b",), "groups": ("x", "y"), "level": ("3",), "ok": ("true",)}


def test_statements_about_the_token_are_no_traits():
    assert traits_of({"iss": "x", "aud": "y", "exp": 1, "nonce": "n", "at_hash": "h"}) == {}


def test_nested_claims_are_dotted():
    claims = {"realm_access": {"roles": ["a"]}, "resource_access": {"app": {"roles": ["b"]}}}
    assert traits_of(claims) == {"realm_access.roles": ("a",), "resource_access.app.roles": ("b",)}


def test_a_claim_named_like_a_url_keeps_its_name():
    name = "https://gitlab.org/claims/groups/developer"
    assert traits_of({name: ["team/app"]}) == {name: ("team/app",)}


def test_a_literal_name_wins_over_a_nested_one_in_any_order():
    """Whoever may write into a nested claim must not replace the flat one."""
    one = {"a.b": ["flat"], "a": {"b": ["nested"]}}
    other = {"a": {"b": ["nested"]}, "a.b": ["flat"]}
    assert traits_of(one) == traits_of(other) == {"a.b": ("flat",)}


def test_what_is_no_text_is_left_out():
    assert traits_of({"x": None, "y": [None, {"z": 1}, ["w"]], "empty": "", "p": "a" * 2000}) == {}


def test_a_claim_of_5000_groups_is_refused_with_advice():
    with pytest.raises(LoginRefused, match="5000 values"):
        traits_of({"groups": [f"g{n}" for n in range(5000)]})


def test_thousands_of_claims_are_refused():
    with pytest.raises(LoginRefused):
        traits_of({f"c{n}": "x" for n in range(300)})


def test_claims_nested_without_end_are_refused():
    claim = {"a": "x"}
    for _ in range(50):
        claim = {"a": claim}
    with pytest.raises(LoginRefused):
        traits_of(claim)


@pytest.mark.parametrize("value", ["system:masters", " system:masters", "\tsystem:node:x"])
@pytest.mark.parametrize("shape", [lambda v: v, lambda v: ["dev", v], lambda v: {"in": [v]}])
def test_a_name_that_kubernetes_reserves_is_refused(value, shape):
    with pytest.raises(LoginRefused, match="reserves"):
        traits_of({"groups": shape(value)})


# ---- mapping


def test_a_literal_gives_its_roles():
    mappings = rules({"claim": "groups", "value": "admins", "roles": ["editor", "access"]})
    assert roles_for({"groups": ("dev", "admins")}, mappings) == ("editor", "access")


def test_a_mapping_gives_each_role_once():
    mappings = rules(
        {"claim": "g", "value": "a", "roles": ["x"]}, {"claim": "g", "value": "*", "roles": ["x"]}
    )
    assert roles_for({"g": ("a", "b")}, mappings) == ("x",)


@pytest.mark.parametrize(
    ("value", "given"),
    [
        ("admin", "not-admin"),
        ("admin", "administrator"),
        ("admin", "Admin"),
        ("admin", "admin\n"),
        ("a.min", "admin"),
        ("admin*", "not-admin"),
        ("*admin", "administrator"),
        ("a?min", "admin"),
        ("[a-z]*", "admin"),
        ("^admin$", "not-admin"),
        ("^admin$", "admin\n"),
        ("^admin|dev$", "not-dev"),
        ("^admin|dev$", "administrator"),
        ("^(?:admin)|.$", "not-admin"),
    ],
)
def test_an_unanchored_role_mapping_matches_nothing_more(value, given):
    """`admin` must not match `not-admin`, however the mapping is written."""
    mappings = rules({"claim": "g", "value": value, "roles": ["root"]})
    assert roles_for({"g": (given,)}, mappings) == ()


@pytest.mark.parametrize(
    ("value", "given", "role", "expected"),
    [
        ("team-*", "team-blue", "dev-$1", "dev-blue"),
        ("*/*", "org/team", "${2}.${1}", "team.org"),
        ("^team-(.+)$", "team-red", "$1", "red"),
        ("^(?P<org>\\w+)/dev$", "acme/dev", "${org}-dev", "acme-dev"),
        ("*", "", "all", None),
        ("^x(y)?$", "x", "r$1", "r"),
    ],
)
def test_captures_may_name_roles(value, given, role, expected):
    mappings = rules({"claim": "g", "value": value, "roles": [role]})
    found = roles_for({"g": (given,)} if given else {}, mappings)
    assert found == ((expected,) if expected else ())


@pytest.mark.parametrize(
    "given", ["team-", "team- x", "team-a\nb", "team-../x", "team-{{a}}", "team--x"]
)
def test_a_capture_that_makes_no_role_name_gives_none(given):
    mappings = rules({"claim": "g", "value": "team-*", "roles": ["$1"]})
    assert roles_for({"g": (given,)}, mappings) == ()


def test_values_in_a_role_name_are_expanded_once():
    mappings = rules({"claim": "g", "value": "*", "roles": ["r-$1"]})
    assert roles_for({"g": ("$1",)}, mappings) == ()


# ---- e-mail and name


@pytest.mark.parametrize("state", [False, "false", 0, "no", []])
def test_email_verified_false_is_refused(state):
    with pytest.raises(LoginRefused, match="not verified"):
        verified({"email": "a@b", "email_verified": state}, allow_unverified_email=False)


@pytest.mark.parametrize("state", [True, "true"])
def test_a_verified_email_is_the_name(state):
    claims = verified(
        {"sub": "1", "email": "a@b", "email_verified": state}, allow_unverified_email=False
    )
    assert name_of(claims) == "a@b"


def test_an_email_without_a_word_about_it_is_left_out():
    claims = verified({"sub": "1", "email": "a@b"}, allow_unverified_email=False)
    assert name_of(claims) == "1"
    assert "email" not in claims


def test_a_username_that_the_person_may_choose_is_used_only_when_the_admin_says_so():
    claims = {"sub": "1", "preferred_username": "admin@corp"}
    assert name_of(claims) == "1"
    assert name_of(claims, username_claim="preferred_username") == "admin@corp"


@pytest.mark.parametrize(
    "name",
    ["", "a\nb", "a\x1b[2Jb", "a\u202eb", " a", "a ", "x" * 300, "system:admin", None, 7, ["a"]],
)
def test_a_name_that_fools_people_or_kubernetes_is_refused(name):
    with pytest.raises(LoginRefused):
        name_of({"sub": "1", "nick": name}, username_claim="nick")


def test_groups_that_entra_keeps_elsewhere_are_said_clearly():
    mappings = rules({"claim": "groups", "value": "x", "roles": ["y"]})
    with pytest.raises(LoginRefused, match="too many groups"):
        refuse_overage({"_claim_names": {"groups": "src1"}}, mappings)
    refuse_overage({"_claim_names": {"other": "src1"}}, mappings)
