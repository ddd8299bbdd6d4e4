import pytest

from plane.errors import BadRequest
from plane.proxy.route import split


@pytest.mark.parametrize(
    ("target", "name", "inner"),
    [
        (b"/k8s/clusters/west/api/v1/pods?watch=1", "west", b"/api/v1/pods?watch=1"),
        (b"/k8s/clusters/west", "west", b"/"),
        (b"/k8s/clusters/west?x=/y", "west", b"/?x=/y"),
        (b"/k8s/clusters/a.b-c_d/version", "a.b-c_d", b"/version"),
        (b"/k8s/clusters/w//api", "w", b"//api"),
    ],
)
def test_the_cluster_is_the_first_segment_and_the_rest_is_kept_as_it_is(target, name, inner):
    assert split(target) == (name, inner)


@pytest.mark.parametrize(
    "target",
    [
        b"/k8s/clusters/",
        b"/k8s/clusters//api",
        b"/k8s/clusters/../api",
        b"/k8s/clusters/%77est/api",
        b"/k8s/clusters/west%2fapi",
        b"/k8s/clusters/west;x/api",
        b"/k8s/clusters/-west/api",
        b"/k8s/clusters/west./api",
        b"/k8s/clusters/" + b"a" * 300 + b"/api",
        b"/k8s/clusters/west\n/api",
    ],
)
def test_a_name_that_is_not_plain_is_refused(target):
    with pytest.raises(BadRequest):
        split(target)
