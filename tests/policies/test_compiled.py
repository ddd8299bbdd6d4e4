from policies import compiled as module
from policies.compiled import Side, compiled
from policies.decide import decide
from policies.model import Cluster, Request, Subject
from policies.parse import parse_role


def role(name, namespace="*"):
    rule = {"kind": "pods", "namespace": namespace, "name": "*", "verbs": ["get"]}
    allow = {
        "kubernetes_labels": {"*": "*"},
        "kubernetes_groups": ["g"],
        "kubernetes_resources": [rule],
    }
    return parse_role(
        {"kind": "role", "version": "v8", "metadata": {"name": name}, "spec": {"allow": allow}}
    )


def test_the_same_roles_are_compiled_once():
    roles = [role("a"), role("b")]
    assert compiled(roles) is compiled(tuple(roles))
    assert compiled(roles) is not compiled(roles[:1])


def test_what_is_kept_is_bounded():
    kept = [[role(f"r{number}")] for number in range(300)]
    for roles in kept:
        compiled(roles)
    assert len(module._kept) <= module.MAX_KEPT


def test_unknown_kinds_and_verbs_fill_no_memory():
    roles = [role("a")]
    cluster, subject = Cluster(name="c"), Subject(name="alice")
    for number in range(500):
        request = Request(verb=f"v{number}", resource=f"k{number}", namespace="a", name="b")
        decide(roles, subject, cluster, request)
    tables = compiled(roles).allow.tables(lambda _: ())
    assert len(tables._buckets) < 5


def test_people_with_other_traits_get_other_tables():
    side = Side([role("a", "{{external.t}}").allow.resources])
    one, other = side.tables(lambda _: ("x",)), side.tables(lambda _: ("y",))
    assert one is side.tables(lambda _: ("x",))
    assert one is not other
