import pytest

from policies.ask import ask_of, is_discovery
from policies.model import Request


@pytest.mark.parametrize(
    ("subresource", "verb", "verbs"),
    [
        ("", "get", ("get",)),
        ("exec", "get", ("exec",)),
        ("exec", "create", ("exec",)),
        ("attach", "get", ("exec",)),
        ("portforward", "create", ("portforward",)),
        ("proxy", "get", ("proxy",)),
        ("proxy", "delete", ("proxy",)),
        ("log", "get", ("get",)),
        ("status", "patch", ("patch",)),
        ("scale", "update", ("update",)),
        ("eviction", "create", ("delete",)),
        ("ephemeralcontainers", "patch", ("exec", "patch")),
        ("ephemeralcontainers", "update", ("exec", "update")),
        ("ephemeralcontainers", "exec", ("exec", "patch")),
        ("ephemeralcontainers", "get", ("get",)),
        ("token", "create", ("create",)),
    ],
)
def test_rights_follow_the_subresource(subresource, verb, verbs):
    request = Request(verb=verb, resource="pods", subresource=subresource, namespace="a", name="b")
    assert ask_of(request).verbs == verbs


def test_only_lists_without_a_name_are_collections():
    assert ask_of(Request(verb="list", resource="pods")).every
    assert not ask_of(Request(verb="list", resource="pods", name="x")).every
    assert not ask_of(Request(verb="get", resource="pods")).every
    assert ask_of(Request(verb="create", resource="pods")).unnamed


def test_scope_comes_from_discovery_then_from_the_table():
    def scope(**fields):
        return ask_of(Request(verb="list", **fields)).cluster_wide

    assert scope(resource="nodes") is True
    assert scope(resource="pods") is False
    assert scope(resource="widgets", api_group="example.com") is None
    assert scope(resource="widgets", api_group="example.com", namespaced=False) is True


@pytest.mark.parametrize("path", ["/metrics", "/apisx", "/", "", "/API", "/version2", "//api"])
def test_discovery_is_a_short_list(path):
    assert not is_discovery(Request(verb="get", path=path))
