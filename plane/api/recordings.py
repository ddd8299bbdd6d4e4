"""/v1/recordings: what `plane recordings` and `plane play` call.

Without the right to recordings a person sees those of their own sessions, and no sign of others.
Everything that is shown is an event in the audit log first.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from quart import Blueprint, Response, request

from plane.api.access import Access, Visit
from plane.api.question import answer, asked, instant, limit
from plane.audit.events import EventType
from plane.recording.archive import Archive, Wanted, is_owner, unknown
from plane.recording.sidecar import Sidecar

_TEXTS = ("user", "cluster", "namespace", "pod")
_FILTERS = (*_TEXTS, "since", "until", "limit")
_PIECE_BYTES = 1 << 16


def blueprint(archive: Archive, access: Access) -> Blueprint:
    """The routes over this archive."""
    routes = Blueprint("recordings", __name__)

    @routes.get("/v1/recordings")
    async def collection() -> Response:
        async with access.visit(request) as visit:
            values = asked(_FILTERS)
            wanted = _wanted(values)
            if not visit.may("recording", "list"):
                wanted = replace(wanted, owner=_owner(visit))
            visit.reading(EventType.RECORDING_ACCESS, {"query": values})
            found = await asyncio.to_thread(archive.list, wanted)
            return answer({"kind": "List", "items": found})

    @routes.get("/v1/recordings/<name>")
    async def single(name: str) -> Response:
        async with access.visit(request) as visit:
            sidecar = await _permitted(visit, archive, name)
            visit.reading(EventType.RECORDING_ACCESS, _named(sidecar))
            return answer(sidecar)

    @routes.get("/v1/recordings/<name>/cast")
    async def cast(name: str) -> Response:
        async with access.visit(request) as visit:
            sidecar = await _permitted(visit, archive, name)
            path = await asyncio.to_thread(archive.cast_path, name)
            visit.reading(EventType.RECORDING_ACCESS, {**_named(sidecar), "cast": True})
            response = Response(_pieces(path), content_type="application/x-asciicast")
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.timeout = None  # a long recording over a slow line
            return response

    return routes


def _wanted(values: dict[str, str]) -> Wanted:
    return Wanted(
        **{key: value for key, value in values.items() if key in _TEXTS},  # type: ignore[arg-type]  # texts only
        since=instant(values, "since"),
        until=instant(values, "until"),
        limit=limit(values),
    )


async def _permitted(visit: Visit, archive: Archive, name: str) -> Sidecar:
    """The sidecar; NotFound also when it is somebody else's and the right is missing."""
    may = visit.may("recording", "read")
    found = await asyncio.to_thread(archive.get, name)
    if may or is_owner(found, *_owner(visit)):
        return found
    raise unknown(name)


def _owner(visit: Visit) -> tuple[str, str]:
    return visit.person.connector, visit.person.subject


def _named(sidecar: Sidecar) -> dict[str, object]:
    return {key: sidecar.get(key, "") for key in ("id", "user", "cluster")}


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
