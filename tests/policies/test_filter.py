from dataclasses import replace

import strategies as some
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decide import decide, filter_for
from policies.model import Cluster, Request, Subject
from policies.parse import parse_role

COLLECTIVE = st.sampled_from(["list", "watch", "deletecollection"])


@settings(max_examples=120, deadline=None)
@given(
    some.roles,
    some.subjects,
    some.clusters,
    some.requests,
    COLLECTIVE,
    st.sampled_from(["dev", "prod"]),
    st.sampled_from(["web", "web-1", "db", "dev"]),
)
def test_an_item_is_shown_exactly_when_it_may_be_asked_for_by_name(
    roles, subject, cluster, request, verb, namespace, name
):
    """For one namespaced item; nodes and Namespace objects live outside namespaces."""
    outside = request.resource in ("nodes", "namespaces")
    request = replace(
        request,
        verb=verb,
        name="",
        subresource="",
        namespaced=not outside,
        namespace="" if outside else request.namespace,
        path="",
        resource=request.resource or "pods",
    )
    place = "" if outside else request.namespace or namespace
    permitted = filter_for(roles, subject, cluster, request)
    shown = permitted is None or permitted(place, name)
    item = decide(roles, subject, cluster, replace(request, namespace=place, name=name))
    judged = item.allowed or " allows it (" in item.reason  # the principals are another matter
    assert shown is judged


@settings(max_examples=120, deadline=None)
@given(some.roles, some.subjects, some.clusters, some.requests, COLLECTIVE)
def test_no_filter_is_needed_exactly_when_the_answer_is_whole(
    roles, subject, cluster, request, verb
):
    request = replace(request, verb=verb, name="", subresource="")
    answer = decide(roles, subject, cluster, request)
    named = request.resource == "namespaces" and request.namespace
    if answer.allowed and request.resource and not named:
        assert (filter_for(roles, subject, cluster, request) is None) is not answer.partial


def test_what_is_denied_shows_nothing():
    request = Request(verb="list", resource="pods")
    for roles in ([], [None]):
        permitted = filter_for(roles, Subject(name="a"), Cluster(name="c"), request)
        assert permitted is not None
        assert not permitted("dev", "web")


def test_a_request_for_one_object_has_no_list_to_filter():
    everything = parse_role(
        {
            "kind": "role",
            "version": "v8",
            "metadata": {"name": "r"},
            "spec": {"allow": {"kubernetes_labels": {"*": "*"}, "kubernetes_groups": ["g"]}},
        }
    )
    request = Request(verb="get", resource="pods", namespace="a", name="b")
    permitted = filter_for([everything], Subject(name="a"), Cluster(name="c"), request)
    assert permitted is not None
    assert not permitted("a", "b")
