"""/v1/resources: what `plane ctl create`, `get`, `edit` and `rm` call."""

import json
from collections.abc import Mapping, Sequence

from quart import Blueprint, Response, request

from plane.api.access import Access, Visit
from plane.audit.events import EventType
from plane.errors import BadRequest, TooLarge
from plane.resources.manifest import Manifest
from plane.resources.registry import find
from plane.resources.service import Action, Applied, Mode, Resources, Step
from plane.resources.yaml import TEXT_LIMIT
from policies.model import Decision

# A page of another origin can send neither of these without asking first (CORS preflight), so
# that a browser which holds a client certificate cannot be made to change anything.
_TYPES = ("application/yaml", "application/json")
_EVENTS = {
    Action.CREATED: EventType.RESOURCE_CREATE,
    Action.UPDATED: EventType.RESOURCE_UPDATE,
}
_VERBS = {Action.CREATED: "create", Action.UPDATED: "update"}


def blueprint(resources: Resources, access: Access) -> Blueprint:
    """The routes over this service."""
    routes = Blueprint("resources", __name__)

    @routes.get("/v1/resources/<kind>")
    async def collection(kind: str) -> Response:
        async with access.visit(request) as visit:
            found = find(kind)
            visit.require(found.name, "list")
            return _json({"kind": "List", "items": await resources.list(found.name)})

    @routes.get("/v1/resources/<kind>/<name>")
    async def single(kind: str, name: str) -> Response:
        async with access.visit(request) as visit:
            found = find(kind)
            visit.require(found.name, "read")
            return _json(await resources.get(found.name, name))

    @routes.post("/v1/resources")
    async def apply() -> Response:
        async with access.visit(request) as visit:
            mode, dry_run = _mode(), _flag("dryRun")
            manifests = await resources.read(await _text())
            _require_some(visit, manifests)
            plan = await resources.plan(manifests, mode=mode)
            changes = _require_each(visit, plan)
            if dry_run:
                return _json({"items": [_applied(step.applied) for step in plan]})
            for applied, decision in changes:
                visit.changing(_EVENTS[applied.action], _named(applied), decision=decision)
            await visit.on_disk()
            done = await resources.commit(plan)
            changed = [each for each in done if each.action is not Action.UNCHANGED]
            visit.changed({"revision": each.revision} for each in changed)
            return _json({"items": [_applied(each) for each in done]})

    @routes.delete("/v1/resources/<kind>/<name>")
    async def remove(kind: str, name: str) -> Response:
        async with access.visit(request) as visit:
            found = find(kind)
            decision = visit.require(found.name, "delete")
            expected = _revision()
            details = {"kind": found.name, "name": name}
            visit.changing(EventType.RESOURCE_DELETE, details, decision=decision)
            await visit.on_disk()
            await resources.delete(found.name, name, expected=expected)
            visit.changed([{}])
            return _json({"kind": found.name, "name": name, "action": "deleted"})

    return routes


def _require_some(visit: Visit, manifests: Sequence[Manifest]) -> None:
    # Before the store is asked: whoever may write nothing of a kind learns nothing of it.
    for kind in dict.fromkeys(each.kind.name for each in manifests):
        if not visit.may(kind, "update"):
            visit.require(kind, "create")


def _require_each(visit: Visit, plan: Sequence[Step]) -> list[tuple[Applied, Decision]]:
    changes = [step.applied for step in plan if step.write is not None]
    return [(each, visit.require(each.kind, _VERBS[each.action])) for each in changes]


async def _text() -> str:
    if request.mimetype not in _TYPES:
        raise BadRequest(f"send Content-Type: {' or '.join(_TYPES)}")
    # What has no length, or lies about it, ends at the application's own MAX_CONTENT_LENGTH.
    raw = await request.get_data(as_text=False)
    assert isinstance(raw, bytes)
    if len(raw) > TEXT_LIMIT:
        raise TooLarge(f"a text may have {TEXT_LIMIT} bytes at most")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("the text is not UTF-8") from error


def _mode() -> Mode:
    try:
        return Mode(request.args.get("mode", Mode.CREATE))
    except ValueError as error:
        raise BadRequest(f"mode must be one of {', '.join(Mode)}") from error


def _flag(name: str) -> bool:
    value = request.args.get(name, "false").lower()
    if value not in ("true", "false"):
        raise BadRequest(f"{name} must be true or false")
    return value == "true"


def _revision() -> int | None:
    text = request.args.get("revision")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRequest("revision must be the metadata.revision that get shows")
    return int(text)


def _applied(applied: Applied) -> dict[str, object]:
    return {
        **_named(applied),
        "action": applied.action,
        "revision": str(applied.revision),
        "warnings": list(applied.warnings),
    }


def _named(applied: Applied) -> dict[str, object]:
    return {"kind": applied.kind, "name": applied.name}


def _json(value: Mapping[str, object]) -> Response:
    # Keys in the order they were written in: jsonify would sort them.
    response = Response(json.dumps(value), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
