"""`impersonate`, `request` and `review_requests` of a role document."""

from collections.abc import Mapping

from policies import fields
from policies.conditions import (
    Impersonate,
    RequestConditions,
    RequestedKind,
    ReviewConditions,
    Threshold,
)
from policies.expression import WHERE_NAMES, Expression, compile_expression
from policies.reading import Reader


def read_where(reader: Reader, path: str, value: object) -> Expression | None:
    """A rule's condition; None when there is none."""
    source = reader.text(path, value)
    if not source.strip():
        return None
    return reader.compiled(path, source, lambda text: compile_expression(text, names=WHERE_NAMES))


def read_impersonate(reader: Reader, path: str, value: object) -> Impersonate:
    """Read `impersonate`."""
    given = reader.known(path, value, fields.IMPERSONATE)
    return Impersonate(
        users=reader.texts(f"{path}.users", given.get("users")),
        roles=reader.texts(f"{path}.roles", given.get("roles")),
        where=read_where(reader, f"{path}.where", given.get("where")),
    )


def read_request(reader: Reader, path: str, value: object) -> RequestConditions:
    """Read `request`."""
    given = reader.known(path, value, fields.REQUEST)
    _no_claims(reader, path, given)
    annotations = reader.mapping(f"{path}.annotations", given.get("annotations"))
    reason = reader.known(f"{path}.reason", given.get("reason"), fields.REASON)
    mode = reader.one_of(f"{path}.reason.mode", reason.get("mode"), ("optional", "required"))

    def texts(key: str) -> tuple[str, ...]:
        return reader.texts(f"{path}.{key}", given.get(key))

    return RequestConditions(
        roles=texts("roles"),
        search_as_roles=texts("search_as_roles"),
        suggested_reviewers=texts("suggested_reviewers"),
        thresholds=_thresholds(reader, f"{path}.thresholds", given.get("thresholds")),
        annotations={
            key: reader.texts(f"{path}.annotations.{key}", item, single=True)
            for key, item in annotations.items()
        },
        max_duration_seconds=reader.seconds(f"{path}.max_duration", given.get("max_duration")),
        kubernetes_resources=_kinds(
            reader, f"{path}.kubernetes_resources", given.get("kubernetes_resources")
        ),
        reason_required=mode == "required",
        reason_prompt=reader.text(f"{path}.reason.prompt", reason.get("prompt")),
    )


def read_reviews(reader: Reader, path: str, value: object) -> ReviewConditions:
    """Read `review_requests`."""
    given = reader.known(path, value, fields.REVIEW_REQUESTS)
    _no_claims(reader, path, given)
    return ReviewConditions(
        roles=reader.texts(f"{path}.roles", given.get("roles")),
        preview_as_roles=reader.texts(f"{path}.preview_as_roles", given.get("preview_as_roles")),
        where=read_where(reader, f"{path}.where", given.get("where")),
    )


def _no_claims(reader: Reader, path: str, given: Mapping[str, object]) -> None:
    if given.get("claims_to_roles"):
        reader.warnings.append(f"{path}.claims_to_roles does nothing in plane; name the roles")


def _thresholds(reader: Reader, path: str, value: object) -> tuple[Threshold, ...]:
    out = []
    for place, item in reader.items(path, value):
        given = reader.known(place, item, fields.THRESHOLD)
        approve = reader.count(f"{place}.approve", given.get("approve"))
        deny = reader.count(f"{place}.deny", given.get("deny"))
        out.append(
            Threshold(
                name=reader.text(f"{place}.name", given.get("name")),
                approve=1 if approve is None else approve,
                deny=1 if deny is None else deny,
                filter=reader.text(f"{place}.filter", given.get("filter")),
            )
        )
    return tuple(out)


def _kinds(reader: Reader, path: str, value: object) -> tuple[RequestedKind, ...]:
    out = []
    for place, item in reader.items(path, value):
        given = reader.known(place, item, ("kind", "api_group"))
        kind = reader.text(f"{place}.kind", given.get("kind"))
        if not kind:
            reader.fault(f"{place}.kind", "is missing")
        group = reader.text(f"{place}.api_group", given.get("api_group"))
        out.append(RequestedKind(kind=kind, api_group=group))
    return tuple(out)
