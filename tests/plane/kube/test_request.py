import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube.request import MAX_TARGET_BYTES, TargetError, parse
from policies.model import Request


@pytest.mark.parametrize(
    ("method", "target", "verb", "what"),
    [
        ("GET", b"/version", "get", Request(verb="get", path="/version")),
        ("GET", b"/", "get", Request(verb="get", path="/")),
        ("GET", b"/api", "get", Request(verb="get", path="/api")),
        ("GET", b"/apis/", "get", Request(verb="get", path="/apis/")),
        ("GET", b"/apis/apps/v1", "get", Request(verb="get", path="/apis/apps/v1")),
        ("GET", b"/openapi/v3/apis/apps/v1?hash=1", "get", Request(verb="get", path="/openapi/v3/apis/apps/v1")),
        ("GET", b"/api/v1/pods", "list", Request(verb="list", resource="pods")),
        ("GET", b"/api/v1/pods?watch=true", "watch", Request(verb="watch", resource="pods")),
        ("GET", b"/api/v1/pods?watch", "watch", Request(verb="watch", resource="pods")),
        ("GET", b"/api/v1/pods?watch=0", "list", Request(verb="list", resource="pods")),
        ("GET", b"/api/v1/pods?watch=False", "list", Request(verb="list", resource="pods")),
        ("HEAD", b"/api/v1/nodes/n1", "get", Request(verb="get", resource="nodes", name="n1")),
        ("GET", b"/api/v1/namespaces", "list", Request(verb="list", resource="namespaces")),
        ("GET", b"/api/v1/namespaces/a", "get", Request(verb="get", resource="namespaces", namespace="a", name="a")),
        ("PUT", b"/api/v1/namespaces/a/finalize", "update",
         Request(verb="update", resource="namespaces", subresource="finalize", namespace="a", name="a")),
        ("POST", b"/api/v1/namespaces/a/pods", "create", Request(verb="create", resource="pods", namespace="a")),
        ("DELETE", b"/api/v1/namespaces/a/pods", "deletecollection",
         Request(verb="deletecollection", resource="pods", namespace="a")),
        ("DELETE", b"/apis/apps/v1/namespaces/a/deployments/d", "delete",
         Request(verb="delete", api_group="apps", resource="deployments", namespace="a", name="d")),
        ("PATCH", b"/apis/apps/v1/namespaces/a/deployments/d/scale", "patch",
         Request(verb="patch", api_group="apps", resource="deployments", subresource="scale", namespace="a", name="d")),
        ("GET", b"/api/v1/namespaces/a/pods/p/log?follow=true", "get",
         Request(verb="get", resource="pods", subresource="log", namespace="a", name="p")),
        ("GET", b"/api/v1/namespaces/a/services/http:s:80/proxy/x/y/", "get",
         Request(verb="proxy", resource="services", subresource="proxy", namespace="a", name="http:s:80")),
    ],
)  # fmt: skip
def test_requests_mean_what_the_api_server_reads(method, target, verb, what):
    request = parse(method, target)

    assert request.verb == verb
    assert request.what == what
    assert request.target == target


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("subresource", "right"),
    [("exec", "exec"), ("attach", "exec"), ("portforward", "portforward")],
)
def test_the_right_follows_the_subresource_whatever_the_method(method, subresource, right):
    request = parse(method, f"/api/v1/namespaces/a/pods/p/{subresource}?command=ls".encode())

    assert request.what.verb == right
    assert request.streaming
    assert request.mutating


def test_a_debug_container_needs_exec_and_the_change():
    request = parse("PATCH", b"/api/v1/namespaces/a/pods/p/ephemeralcontainers")

    assert [check.verb for check in request.checks] == ["exec", "patch"]


def test_a_read_only_role_does_not_reach_nodes_proxy_by_get():
    assert parse("GET", b"/api/v1/nodes/n1/proxy/pods").what.verb == "proxy"


@pytest.mark.parametrize("command", [b"run", b"%72un", b"exec", b"attach", b"portForward", b"cri"])
@pytest.mark.parametrize("node", [b"n1", b"https:n1:10250"])
def test_a_command_by_the_kubelets_own_api_would_go_unrecorded_and_is_refused(node, command):
    with pytest.raises(TargetError, match="use exec"):
        parse("POST", b"/api/v1/nodes/" + node + b"/proxy/" + command + b"/default/web/web?cmd=id")


@pytest.mark.parametrize(
    "target",
    [
        b"/api/v1/../../secrets",
        b"/api/v1/./pods",
        b"/api//v1/pods",
        b"//api/v1/pods",
        b"/api/v1/%2e%2e/secrets",
        b"/api/v1/%2E/pods",
        b"/api/v1/namespaces%2fkube-system/pods",
        b"/api/v1/namespaces%2Fkube-system/pods",
        b"/api/v1/pods%00",
        b"/api/v1/pods%0d%0aX:1",
        b"/api/v1/pods%5c..",
        b"/api/v1/%252e%252e/pods",
        b"/api/v1/pods%",
        b"/api/v1/pods%zz",
        b"/api/v1/pods\x00",
        b"/api/v1/p\\ods",
        b"/api/v1/\xff",
        b"/api/v1/%ff",
        b"/api/v1/pods/",
        b"/api/v1/watch/pods",
        b"/api/v1/proxy/namespaces/a/pods/p",
        b"/apis/apps/v1/watch/deployments",
        b"/api/v1/pods?a=1;watch=true",
        b"/api/v1/pods?watch=true&watch=false",
        b"/api/v1/pods?x=%",
        b"/api/v1/pods?x=%ff",
        b"http://elsewhere/api/v1/pods",
        b"",
    ],
)  # fmt: skip
def test_a_path_that_two_readers_could_take_differently_is_refused(target):
    with pytest.raises(TargetError):
        parse("GET", target)


def test_an_oversized_target_is_refused():
    with pytest.raises(TargetError):
        parse("GET", b"/api/v1/pods?x=" + b"a" * MAX_TARGET_BYTES)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get"])
def test_a_method_that_kubernetes_does_not_use_is_refused(method):
    with pytest.raises(TargetError):
        parse(method, b"/api/v1/pods")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_one_way_or_refused(tail):
    target = b"/api/v1/" + tail
    try:
        request = parse("GET", target)
    except TargetError:
        return
    assert request.target == target
    assert ".." not in request.path.split("/")
    assert not any(ord(char) < 0x20 for char in request.path)


@pytest.mark.parametrize(
    ("target", "long_running"),
    [
        (b"/api/v1/pods?watch=1", True),
        (b"/api/v1/namespaces/a/pods/p/log?follow=true", True),
        (b"/api/v1/namespaces/a/pods/p/log", False),
        (b"/api/v1/pods", False),
    ],
)
def test_long_running_requests_are_known(target, long_running):
    assert parse("GET", target).long_running is long_running
