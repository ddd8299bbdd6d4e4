import pytest

from policies.errors import SyntaxProblem
from policies.model import Request
from policies.phrase import parse_request


@pytest.mark.parametrize(
    ("phrase", "request_"),
    [
        (
            "get pods/web -n shop",
            Request(verb="get", resource="pods", namespace="shop", name="web"),
        ),
        ("get pods -A", Request(verb="list", resource="pods")),
        ("-n shop watch pods", Request(verb="watch", resource="pods", namespace="shop")),
        (
            "get deployments/web -n s",
            Request(
                verb="get", api_group="apps", resource="deployments", namespace="s", name="web"
            ),
        ),
        (
            "get widgets.example.com/w",
            Request(verb="get", api_group="example.com", resource="widgets", name="w"),
        ),
        (
            "get pods.metrics.k8s.io/w",
            Request(verb="get", api_group="metrics.k8s.io", resource="pods", name="w"),
        ),
        ("exec pods/w", Request(verb="exec", resource="pods", subresource="exec", name="w")),
        ("attach pods/w", Request(verb="exec", resource="pods", subresource="attach", name="w")),
        ("logs pods/w", Request(verb="get", resource="pods", subresource="log", name="w")),
        (
            "debug pods/w",
            Request(verb="patch", resource="pods", subresource="ephemeralcontainers", name="w"),
        ),
        (
            "port-forward pods/w",
            Request(verb="portforward", resource="pods", subresource="portforward", name="w"),
        ),
        ("get pods/w/status", Request(verb="get", resource="pods", subresource="status", name="w")),
        ("get /version", Request(verb="get", path="/version")),
    ],
)
def test_phrases(phrase, request_):
    assert parse_request(phrase) == request_


@pytest.mark.parametrize("phrase", ["", "get", "get pods web more", "get pod/web", "get pods -n"])
def test_what_is_no_phrase_is_refused(phrase):
    with pytest.raises(SyntaxProblem):
        parse_request(phrase)
