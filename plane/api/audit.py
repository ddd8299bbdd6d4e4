"""/v1/audit: what `plane ctl audit search` and `tail` call. Reading the log is an event in it."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from quart import Blueprint, Request, Response, request

from plane.api.access import Access
from plane.api.question import answer, asked, instant, limit, number
from plane.audit.events import EventType
from plane.audit.index import AuditIndex, Query
from plane.errors import PlaneError
from policies.decide import api_decide

_TEXTS = ("user", "cluster", "verb", "type", "namespace", "resource")
_FILTERS = (*_TEXTS, "code", "since", "until", "limit")


def blueprint(index: AuditIndex, access: Access) -> Blueprint:
    """The routes over this index."""
    routes = Blueprint("audit", __name__)

    @routes.get("/v1/audit")
    async def search() -> Response:
        async with access.visit(request) as visit:
            visit.require("audit", "list")
            values = asked(_FILTERS)
            query = _query(values)
            visit.reading(EventType.AUDIT_READ, {"query": values})
            return answer({"kind": "List", "items": await index.search(query)})

    @routes.get("/v1/audit/follow")
    async def follow() -> Response:
        async with access.visit(request) as visit:
            visit.require("audit", "list")
            values = asked(_FILTERS)
            query = _query(values)
            visit.reading(EventType.AUDIT_READ, {"query": values, "follow": True})
            asking: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - a proxy
            lines = _lines(index, query, access, asking)
            response = Response(lines, content_type="application/x-ndjson")
            response.headers["Cache-Control"] = "no-store"
            response.timeout = None  # it ends when the client goes
            return response

    return routes


def _query(values: dict[str, str]) -> Query:
    return Query(
        **{key: value for key, value in values.items() if key in _TEXTS},
        code=number(values, "code"),
        since=instant(values, "since"),
        until=instant(values, "until"),
        limit=limit(values),
    )


async def _lines(
    index: AuditIndex, query: Query, access: Access, asking: Request
) -> AsyncGenerator[bytes, None]:
    # An empty line first: servers hold a head back until there is a body.
    yield b"\n"
    async with aclosing(index.follow(query)) as found:
        async for line in found:
            if not await _still_allowed(access, asking):
                return
            yield json.dumps(line).encode() + b"\n"


async def _still_allowed(access: Access, asking: Request) -> bool:
    """Asked at every line, so that a logout or a changed role ends a stream that goes on."""
    try:
        session = await access.caller(asking)
        roles = access.policies.roles(session.roles)
    except PlaneError:
        return False
    return api_decide(roles, session.person, resource="audit", verb="list").allowed
