"""Generated roles, people, clusters and requests; small worlds, so that things meet."""

from hypothesis import strategies as st

from policies.kinds import VERBS
from policies.model import Cluster, Request, Role, Subject
from policies.parse import parse_role

NAMES = st.sampled_from(["web", "web-1", "db", "dev", "prod", ""])
NAMESPACES = st.sampled_from(["dev", "prod", ""])
KINDS = st.sampled_from(
    ["pods", "secrets", "namespaces", "nodes", "deployments", "events", "widgets"]
)
GROUPS = st.sampled_from(["", "apps", "example.com", "events.k8s.io"])
PATTERNS = st.sampled_from(["*", "web", "web-*", "dev", "^(dev|prod)$", "^.+$", "{{external.t}}"])
VERB_LISTS = st.one_of(
    st.just(["*"]), st.lists(st.sampled_from(VERBS), min_size=1, max_size=4, unique=True)
)
VALUES = st.sampled_from(["dev", "prod", "web", "*", "system:masters", "x\r\ny", "", "a b", "ü"])


def _rules(*, deny: bool) -> st.SearchStrategy[list[dict[str, object]]]:
    rule = st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["*", "pods", "secrets", "namespaces", "nodes", "events"]),
            "api_group": st.sampled_from(["*", "apps"]),
            "namespace": st.one_of(PATTERNS, st.just("")) if deny else PATTERNS,
            "name": PATTERNS,
            "verbs": VERB_LISTS,
        }
    )
    return st.lists(rule, max_size=3)


LABELS = st.one_of(
    st.just({"*": "*"}),
    st.dictionaries(st.sampled_from(["env", "team"]), PATTERNS, min_size=1, max_size=2),
)


@st.composite
def allow_roles(draw: st.DrawFn) -> Role:
    names = st.sampled_from(["g", "h", "{{external.t}}", "x-{{external.t}}"])
    return parse_role(
        {
            "kind": "role",
            "version": "v8",
            "metadata": {"name": draw(st.sampled_from(["a", "b", "c"]))},
            "spec": {
                "allow": {
                    "kubernetes_labels": draw(LABELS),
                    "kubernetes_groups": draw(st.lists(names, max_size=2)),
                    "kubernetes_users": draw(st.lists(st.one_of(names, st.just("*")), max_size=2)),
                    "kubernetes_resources": draw(_rules(deny=False)),
                }
            },
        }
    )


@st.composite
def deny_roles(draw: st.DrawFn) -> Role:
    deny: dict[str, object] = {
        "kubernetes_resources": draw(_rules(deny=True)),
        "kubernetes_users": draw(st.lists(st.sampled_from(["g", "x-*"]), max_size=1)),
        "kubernetes_groups": draw(st.lists(st.sampled_from(["g", "*"]), max_size=1)),
    }
    if draw(st.booleans()):
        deny["kubernetes_labels"] = draw(LABELS)
    metadata = {"name": "deny"}
    return parse_role(
        {"kind": "role", "version": "v8", "metadata": metadata, "spec": {"deny": deny}}
    )


roles = st.lists(st.one_of(allow_roles(), deny_roles()), max_size=4)
subjects = st.builds(
    Subject,
    name=st.sampled_from(["alice", "system:admin", "a\nb", ""]),
    traits=st.dictionaries(
        st.sampled_from(["t", "u"]), st.lists(VALUES, max_size=3).map(tuple), max_size=2
    ),
)
clusters = st.builds(
    Cluster,
    name=st.sampled_from(["east", "west"]),
    labels=st.dictionaries(
        st.sampled_from(["env", "team", "name"]), st.sampled_from(["dev", "web"])
    ),
)
requests = st.builds(
    Request,
    verb=st.sampled_from([*VERBS, "head", "nonsense", ""]),
    api_group=GROUPS,
    resource=st.one_of(KINDS, st.just("")),
    subresource=st.sampled_from(
        ["", "", "", "exec", "log", "proxy", "ephemeralcontainers", "eviction"]
    ),
    namespace=NAMESPACES,
    name=NAMES,
    path=st.sampled_from(["", "/api", "/metrics"]),
    namespaced=st.sampled_from([None, True, False]),
)
