"""One kubectl call, top to bottom. This is the file to read first.

parse -> authenticate -> route -> authorize -> limit -> audit start -> impersonate -> forward or
splice -> audit end. Everything that goes wrong leaves by one door, refuse.py.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from plane.audit.events import Outcome
from plane.clock import SYSTEM, Clock
from plane.errors import BadRequest, Forbidden, PlaneError
from plane.kube import headers as kube_headers
from plane.kube import impersonate
from plane.kube.headers import Headers
from plane.kube.request import KubeRequest, TargetError, parse
from plane.proxy.authenticate import SessionSource, authenticate
from plane.proxy.authorize import Authorizer, require
from plane.proxy.call import Call
from plane.proxy.forward import forward
from plane.proxy.limits import Limits
from plane.proxy.live import LiveStreams
from plane.proxy.refuse import refuse
from plane.proxy.route import Route, Routes, split
from plane.proxy.stream import Streamer
from plane.proxy.trail import EventLog, Trail, kubectl_session

_log = logging.getLogger(__name__)
_CLIENT_GONE = 499  # nginx's number for a client that left before its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the pipeline works with; app.py makes it."""

    sessions: SessionSource
    routes: Routes
    authorizer: Authorizer
    log: EventLog
    streamer: Streamer
    live: LiveStreams
    limits: Limits
    clock: Clock = SYSTEM
    observe: Callable[[Trail, int], None] = lambda _trail, _code: None


class Pipeline:
    """Serves calls under /k8s/clusters/."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def now(self) -> float:
        """The time, for calls that are not made by the edge."""
        return self._parts.clock.now()

    async def serve(self, call: Call) -> None:
        """Serve one call; it is answered or cut off when this returns."""
        call.audit_id = self._parts.clock.uuid()
        trail = Trail(self._parts.log, self._parts.clock, call)
        try:
            await self._serve(call, trail)
        except PlaneError as error:
            refuse(call, trail, error)
        except asyncio.CancelledError:
            trail.complete(Outcome(code=_CLIENT_GONE, reason="ClientGone"))
            raise
        except Exception as error:  # noqa: BLE001 - a fault answers 500, it never hangs a client
            _log.exception("a call failed (audit %s)", call.audit_id)
            refuse(call, trail, PlaneError("plane failed on this request", detail=repr(error)))

    async def _serve(self, call: Call, trail: Trail) -> None:
        parts = self._parts
        trail.name, target = split(call.target)
        trail.request = request = _parse(call, target)
        trail.session = session = authenticate(call, parts.sessions)
        route = parts.routes.find(trail.name)
        trail.policy_revision = parts.authorizer.revision
        trail.decision = parts.authorizer.decide(session, trail.name, route, request)
        if hint := kubectl_session(call):
            trail.details["kubectlSession"] = hint
        trail.route = route
        require(trail.decision, trail.name)
        parts.authorizer.check_options(session, call.peer.address)
        assert route is not None
        with parts.limits.lease(session.id):
            headers = self._headers(call, trail)
            if request.mutating:
                await trail.received()
            if request.streaming:
                await self._stream(call, trail, route, headers)
            elif request.long_running:
                with parts.live.enter(lambda: self._recheck(call, trail)) as live:
                    await forward(call, trail, route, headers, live=live)
            else:
                await forward(call, trail, route, headers, live=None)

    async def _stream(self, call: Call, trail: Trail, route: Route, headers: Headers) -> None:
        with self._parts.live.enter(lambda: self._recheck(call, trail)) as live:
            await self._parts.streamer.serve(call, trail, route, headers, live=live)

    def _headers(self, call: Call, trail: Trail) -> Headers:
        """Strip, then set ours, on the list that is sent (CVE-2021-31999)."""
        assert trail.decision is not None
        assert trail.session is not None
        kept = kube_headers.to_cluster(call.headers)
        try:
            trail.principals = impersonate.choose(trail.decision, trail.session.user, call.headers)
            impersonate.assert_none(kept)
        except impersonate.ImpersonationError as error:
            raise Forbidden(str(error)) from error
        kept += impersonate.head_lines(trail.principals)
        # The API server takes the id for its own audit log, so both logs join.
        kept.append((b"Audit-Id", call.audit_id.encode()))
        return kept

    def _recheck(self, call: Call, trail: Trail) -> str | None:
        """Why a live stream must end now, or None."""
        parts, request = self._parts, trail.request
        assert request is not None
        try:
            session = authenticate(call, parts.sessions)
            decision = parts.authorizer.decide(
                session, trail.name, parts.routes.find(trail.name), request
            )
            require(decision, trail.name)
            parts.authorizer.check_options(session, call.peer.address)
            chosen = impersonate.choose(decision, session.user, call.headers)
        except (PlaneError, impersonate.ImpersonationError) as error:
            return f"plane ended this session: {error}"
        if chosen != trail.principals:
            return "plane ended this session: your Kubernetes user or groups have changed"
        return None


def _parse(call: Call, target: bytes) -> KubeRequest:
    try:
        request = parse(call.method, target)
    except TargetError as error:
        raise BadRequest(str(error)) from error
    if call.upgrade and not request.streaming:
        # An upgrade elsewhere (services/proxy, a watch) would be a stream that nobody records.
        raise BadRequest("only exec, attach and port-forward may upgrade the connection")
    return request
