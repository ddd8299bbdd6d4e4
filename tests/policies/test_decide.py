from dataclasses import replace

import strategies as some
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decide import decide, visible
from policies.model import Cluster, Decision, Request, Role, Subject
from policies.parse import parse_role

EAST = Cluster(name="east", labels={"env": "dev"})
ALICE = Subject(name="alice")
GET = Request(verb="get", resource="pods", namespace="shop", name="web")


def role(name="r", *, version="v8", deny=None, **allow):
    allow = {"kubernetes_labels": {"*": "*"}, "kubernetes_groups": ["g"], **allow}
    spec = {"allow": allow, "deny": deny or {}}
    document = {"kind": "role", "version": version, "metadata": {"name": name}, "spec": spec}
    return parse_role(document)


@settings(max_examples=120, deadline=None)
@given(some.roles, some.subjects, some.clusters, some.requests)
def test_decide_is_total(roles, subject, cluster, request):
    answer = decide(roles, subject, cluster, request)
    assert isinstance(answer, Decision)
    assert answer.reason
    assert "\n" not in answer.reason


@settings(max_examples=120, deadline=None)
@given(
    st.text(max_size=8),
    st.text(max_size=8),
    st.text(max_size=8),
    st.dictionaries(st.text(), st.text()),
)
def test_decide_is_total_on_any_text(one, two, three, labels):
    request = Request(verb=one, resource=two, namespace=three, name=one, api_group=two, path=three)
    subject = Subject(name=one, traits={two: (three,)})
    assert decide([role()], subject, Cluster(name=one, labels=labels), request).reason


@settings(max_examples=120, deadline=None)
@given(some.roles, some.deny_roles(), some.subjects, some.clusters, some.requests)
def test_a_deny_never_allows(roles, deny, subject, cluster, request):
    before = decide(roles, subject, cluster, request)
    after = decide([*roles, deny], subject, cluster, request)
    assert before.allowed or not after.allowed
    assert set(after.groups) <= set(before.groups)


@settings(max_examples=120, deadline=None)
@given(some.roles, some.allow_roles(), some.subjects, some.clusters, some.requests)
def test_adding_an_allow_role_never_removes_access(roles, more, subject, cluster, request):
    before = decide(roles, subject, cluster, request)
    after = decide([*roles, more], subject, cluster, request)
    assert after.allowed or not before.allowed
    assert not after.allowed or set(before.groups) <= set(after.groups)


@settings(max_examples=120, deadline=None)
@given(some.roles, some.subjects, some.clusters, some.requests, st.randoms())
def test_the_order_of_roles_changes_no_answer(roles, subject, cluster, request, random):
    shuffled = roles.copy()
    random.shuffle(shuffled)
    one, other = (decide(each, subject, cluster, request) for each in (roles, shuffled))
    assert one.allowed is other.allowed
    assert set(one.groups) == set(other.groups)
    assert set(one.users) == set(other.users)


@settings(max_examples=120, deadline=None)
@given(some.roles, some.subjects, some.clusters, some.requests)
def test_no_principal_is_unfit_for_a_header_or_reserved(roles, subject, cluster, request):
    answer = decide(roles, subject, cluster, request)
    for name in (*answer.users, *answer.groups):
        assert name.isascii()
        assert name.isprintable()
        assert not name.startswith("system:")
    if answer.allowed and not answer.users:
        assert subject.name == "alice"


@settings(max_examples=120, deadline=None)
@given(some.roles, some.subjects, some.clusters, some.requests)
def test_whoever_may_do_anything_may_see_the_cluster(roles, subject, cluster, request):
    if decide(roles, subject, cluster, request).allowed:
        assert visible(roles, subject, cluster)


@settings(max_examples=120, deadline=None)
@given(some.roles, some.subjects, some.clusters, some.requests)
def test_what_is_kept_between_decisions_changes_none(roles, subject, cluster, request):
    again = [replace(each) for each in roles]
    decide(roles, subject, cluster, request)
    assert decide(roles, subject, cluster, request) == decide(again, subject, cluster, request)


def test_a_fault_in_a_rule_denies():
    long = {
        "kubernetes_resources": [{"kind": "pods", "namespace": "*", "name": "^a*$", "verbs": ["*"]}]
    }
    answer = decide([role(), role("d", deny=long)], ALICE, EAST, replace(GET, name="a" * 5000))
    assert not answer.allowed
    assert "could not be judged" in answer.reason


def test_a_fault_in_the_input_denies():
    broken: Subject = Subject(name="alice", traits={"t": [["unhashable"]]})  # type: ignore[dict-item]
    template = role(kubernetes_groups=["{{external.t}}"])
    assert not decide([template], broken, EAST, GET).allowed
    assert not decide([None], ALICE, EAST, GET).allowed  # type: ignore[list-item]
    assert not visible([None], ALICE, EAST)  # type: ignore[list-item]


def test_a_crowd_of_groups_is_refused_with_the_number():
    subject = Subject(name="alice", traits={"t": tuple(f"g{n}" for n in range(10_000))})
    answer = decide([role(kubernetes_groups=["{{external.t}}"])], subject, EAST, GET)
    assert not answer.allowed
    assert "10000 groups" in answer.reason


def test_ten_thousand_traits_in_a_rule_are_refused_rather_than_tried():
    rule = {"kind": "pods", "namespace": "{{external.t}}", "name": "{{external.t}}", "verbs": ["*"]}
    subject = Subject(name="alice", traits={"t": tuple(f"n{n}" for n in range(10_000))})
    answer = decide([role(kubernetes_resources=[rule])], subject, EAST, GET)
    assert not answer.allowed
    assert "10000 values" in answer.reason


def test_a_product_of_traits_in_a_rule_is_refused_rather_than_built():
    rule = {"kind": "pods", "namespace": "{{external.t}}", "name": "{{external.t}}", "verbs": ["*"]}
    subject = Subject(name="alice", traits={"t": tuple(f"n{n}" for n in range(1_500))})
    assert not decide([role(kubernetes_resources=[rule])], subject, EAST, GET).allowed


def test_anybody_may_be_chosen_but_for_the_denied():
    anybody = role(kubernetes_users=["*"])
    never = role("never", deny={"kubernetes_users": ["root", "system:*"]})
    answer = decide([anybody, never], ALICE, EAST, GET)
    assert answer.permits_user("bob")
    assert not answer.permits_user("root")
    assert not answer.permits_user("system:admin")


def test_only_the_given_users_may_be_chosen():
    answer = decide([role(kubernetes_users=["a", "b"])], ALICE, EAST, GET)
    assert answer.permits_user("a")
    assert not answer.permits_user("c")
    assert not answer.permits_user("*")


def test_a_refusal_names_no_other_cluster_and_no_role():
    west = parse_role(
        {
            "kind": "role",
            "version": "v8",
            "metadata": {"name": "hidden"},
            "spec": {"allow": {"kubernetes_labels": {"name": "west"}, "kubernetes_groups": ["g"]}},
        }
    )
    answer = decide([west], ALICE, EAST, GET)
    assert answer.reason == "no role selects this cluster"
    assert answer.role == ""


def test_roles_by_the_same_name_are_not_mixed_up():
    open_role, shut = role("same"), role("same", kubernetes_labels={"env": "prod"})
    assert decide([open_role], ALICE, EAST, GET).allowed
    assert not decide([shut], ALICE, EAST, GET).allowed


def test_a_role_that_does_nothing_is_harmless():
    assert not decide([Role(name="empty")], ALICE, EAST, GET).allowed
