"""Tests that people write for their roles: `kind: policy_test` documents in, results out.

Pure: the same runner serves `plane ctl test` without a server, the gate of `plane ctl create`, and
this project's own tests/policies/cases. The format is in docs/reference/roles.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from policies.decide import api_decide, decide, filter_for, visible
from policies.errors import PolicyError
from policies.model import Cluster, Decision, Request, Role, Subject
from policies.parse import parse_role
from policies.phrase import parse_request
from policies.reading import Reader

_TOP = ("kind", "version", "metadata", "spec")
_SPEC = ("roles", "user", "traits", "cluster", "cases")
_GIVEN = ("roles", "user", "traits", "cluster")
_ASKED = ("request", "requests", "api")
_EXPECT = ("decision", "users", "groups", "role", "rule", "reason", "partial", "shows", "hides")
_CASE = ("name", "visible", "expect", *_GIVEN, *_ASKED)
_REQUEST = ("verb", "api_group", "resource", "subresource", "namespace", "name", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What an answer must be; None is "any"."""

    allowed: bool | None = None
    users: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    role: str | None = None
    rule: str | None = None
    reason: str | None = None
    partial: bool | None = None
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One situation with what is asked in it; `api` pairs are (verb, resource)."""

    name: str
    roles: tuple[str, ...]
    subject: Subject
    cluster: Cluster
    requests: tuple[tuple[str, Request], ...] = ()
    api: tuple[str, str] | None = None
    visible: bool | None = None
    expect: Expectation = field(default_factory=Expectation)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTest:
    """A document: its cases, and the roles that it brings along."""

    name: str
    cases: tuple[Case, ...]
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one question of one case came out; `problems` is empty when as expected."""

    test: str
    case: str
    asked: str
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems


def read_test(document: Mapping[str, object]) -> PolicyTest:
    """Read a `kind: policy_test` document; raises PolicyError with every problem and its path."""
    reader = Reader()
    top = reader.known("$", document, _TOP)
    if top.get("kind") != "policy_test":
        reader.fault("kind", f"must be policy_test, is {top.get('kind')!r}")
    if top.get("version") != "v1":
        reader.fault("version", f"must be v1, is {top.get('version')!r}")
    metadata = reader.mapping("metadata", top.get("metadata"))
    name = reader.text("metadata.name", metadata.get("name"))
    spec = reader.known("spec", top.get("spec"), _SPEC)
    brought: list[Role] = []
    names: list[str] = []
    for place, item in reader.items("spec.roles", spec.get("roles")):
        if isinstance(item, Mapping):
            brought += _brought(reader, place, item)
        else:
            names.append(reader.text(place, item))
    given = {**spec, "roles": [*names, *(role.name for role in brought)]}
    cases = [
        _case(reader, place, item, given)
        for place, item in reader.items("spec.cases", spec.get("cases"))
    ]
    reader.check()
    return PolicyTest(name=name, cases=tuple(cases), roles=tuple(brought))


def run_test(test: PolicyTest, roles: Mapping[str, Role]) -> tuple[Result, ...]:
    """Judge all cases; roles that the document brings outweigh stored ones of the same name."""
    known = {**roles, **{role.name: role for role in test.roles}}
    return tuple(
        Result(test=test.name, case=case.name, asked=asked, problems=tuple(problems))
        for case in test.cases
        for asked, problems in _judge(case, known)
    )


def _brought(reader: Reader, place: str, document: Mapping[str, object]) -> list[Role]:
    try:
        return [parse_role(document)]
    except PolicyError as error:
        for path, message in error.problems:
            reader.fault(f"{place}.{path}", message)
        return []


def _case(reader: Reader, place: str, item: object, given: Mapping[str, object]) -> Case:
    fields = reader.known(place, item, _CASE)
    merged = {**{key: given.get(key) for key in _GIVEN}, **fields}
    cluster = reader.known(f"{place}.cluster", merged.get("cluster"), ("name", "labels"))
    traits = reader.mapping(f"{place}.traits", merged.get("traits"))
    labels = reader.mapping(f"{place}.cluster.labels", cluster.get("labels"))
    requests = _requests(reader, place, fields)
    api = _api(reader, f"{place}.api", fields.get("api"))
    shown = None if fields.get("visible") is None else reader.truth(place, fields["visible"])
    if not requests and api is None and shown is None:
        reader.fault(place, "asks nothing: it needs request, requests, api or visible")
    return Case(
        name=reader.text(f"{place}.name", fields.get("name"), default=place),
        roles=reader.texts(f"{place}.roles", merged.get("roles")),
        subject=Subject(
            name=reader.text(f"{place}.user", merged.get("user"), default="alice"),
            traits={
                key: reader.texts(f"{place}.traits.{key}", value, single=True)
                for key, value in traits.items()
            },
        ),
        cluster=Cluster(
            name=reader.text(f"{place}.cluster.name", cluster.get("name"), default="east"),
            labels={key: reader.text(place, value) for key, value in labels.items()},
        ),
        requests=requests,
        api=api,
        visible=shown,
        expect=_expect(reader, f"{place}.expect", fields.get("expect")),
    )


def _requests(
    reader: Reader, place: str, fields: Mapping[str, object]
) -> tuple[tuple[str, Request], ...]:
    asked = [(f"{place}.request", fields["request"])] if "request" in fields else []
    asked += reader.items(f"{place}.requests", fields.get("requests"))
    return tuple(
        (_phrase(item), request) for path, item in asked for request in _request(reader, path, item)
    )


def _request(reader: Reader, path: str, item: object) -> list[Request]:
    if isinstance(item, str):
        request = reader.compiled(path, item, parse_request)
        return [request] if request else []
    given = reader.known(path, item, _REQUEST)

    def text(key: str) -> str:
        return reader.text(f"{path}.{key}", given.get(key))

    return [
        Request(
            verb=text("verb"),
            api_group=text("api_group"),
            resource=text("resource"),
            subresource=text("subresource"),
            namespace=text("namespace"),
            name=text("name"),
            path=text("path"),
        )
    ]


def _phrase(item: object) -> str:
    if isinstance(item, Mapping):
        return " ".join(f"{key}={value}" for key, value in item.items())
    return str(item)


def _api(reader: Reader, path: str, value: object) -> tuple[str, str] | None:
    if value is None:
        return None
    verb, _, resource = reader.text(path, value).partition(" ")
    if not verb or not resource or " " in resource:
        reader.fault(path, "is of the form: read recording")
    return verb, resource


def _expect(reader: Reader, path: str, value: object) -> Expectation:
    if isinstance(value, str):
        value = {"decision": value}
    given = reader.known(path, value, _EXPECT)
    decision = reader.one_of(f"{path}.decision", given.get("decision"), ("allow", "deny"))

    def text(key: str) -> str | None:
        return reader.text(f"{path}.{key}", given[key]) if key in given else None

    def names(key: str) -> tuple[str, ...] | None:
        return reader.texts(f"{path}.{key}", given[key]) if key in given else None

    return Expectation(
        allowed=None if decision is None else decision == "allow",
        users=names("users"),
        groups=names("groups"),
        role=text("role"),
        rule=text("rule"),
        reason=text("reason"),
        partial=reader.truth(f"{path}.partial", given["partial"]) if "partial" in given else None,
        shows=names("shows") or (),
        hides=names("hides") or (),
    )


def _judge(case: Case, known: Mapping[str, Role]) -> Iterable[tuple[str, list[str]]]:
    missing = [name for name in case.roles if name not in known]
    if missing:
        yield "roles", [f"there is no role {', '.join(missing)}"]
        return
    roles = [known[name] for name in case.roles]
    if case.visible is not None:
        seen = visible(roles, case.subject, case.cluster)
        problems = [] if seen is case.visible else [f"visible: expected {case.visible}, got {seen}"]
        yield f"visible {case.cluster.name}", problems
    if case.api is not None:
        verb, resource = case.api
        answer = api_decide(roles, case.subject, resource=resource, verb=verb)
        yield f"{verb} {resource}", list(_differences(case.expect, answer))
    for phrase, request in case.requests:
        answer = decide(roles, case.subject, case.cluster, request)
        problems = list(_differences(case.expect, answer))
        yield phrase, problems + list(_item_problems(case, roles, request))


def _differences(expect: Expectation, got: Decision) -> Iterable[str]:
    if expect.allowed is not None and expect.allowed is not got.allowed:
        words = {True: "allow", False: "deny"}
        yield f"expected {words[expect.allowed]}, got {words[got.allowed]}: {got.reason}"
    for name, wanted, have in (
        ("users", expect.users, got.users),
        ("groups", expect.groups, got.groups),
    ):
        if wanted is not None and sorted(wanted) != sorted(have):
            yield f"{name}: expected {_list(wanted)}, got {_list(have)}"
    for name, text, actual in (("role", expect.role, got.role), ("rule", expect.rule, got.rule)):
        if text is not None and text != actual:
            yield f"{name}: expected {text}, got {actual or 'none'}"
    if expect.reason is not None and expect.reason not in got.reason:
        yield f"reason: expected one with {expect.reason!r}, got {got.reason!r}"
    if expect.partial is not None and expect.partial is not got.partial:
        yield f"partial: expected {expect.partial}, got {got.partial}"


def _item_problems(case: Case, roles: Sequence[Role], request: Request) -> Iterable[str]:
    """Compare what a list would show, as `namespace/name` (or `name` outside namespaces)."""
    if not (case.expect.shows or case.expect.hides):
        return
    permitted = filter_for(roles, case.subject, case.cluster, request)
    for items, wanted in ((case.expect.shows, True), (case.expect.hides, False)):
        for item in items:
            namespace, _, name = item.rpartition("/")
            shown = permitted is None or permitted(namespace, name)
            if shown is not wanted:
                yield f"{item}: expected {'shown' if wanted else 'hidden'}"


def _list(names: Iterable[str]) -> str:
    return "[" + ", ".join(sorted(names)) + "]"
