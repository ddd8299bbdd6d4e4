"""The evidence of one call: what is known of it so far, and the events that say so."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from plane.audit.events import Actor, Event, EventType, ObjectRef, Outcome, Stage
from plane.clock import Clock
from plane.identity.session import Session
from plane.kube.headers import first
from plane.kube.impersonate import Principals
from plane.kube.request import KubeRequest
from plane.proxy.call import Call
from plane.proxy.route import Route
from policies.model import Decision, Traits

_MAX_TEXT = 256  # user agents and session hints come from the client
_MAX_ACTORS = 8192
_actors: dict[str, tuple[Session, Actor]] = {}


class EventLog(Protocol):
    """Where events go; audit.log.AuditLog is one."""

    def append(self, event: Event) -> int:
        """Write one event; EvidenceUnavailable when that fails."""
        ...

    async def sync(self) -> None:
        """Return when everything appended so far is on disk."""
        ...


class Trail:
    """Collects a call's facts as the pipeline learns them, and writes its events."""

    __slots__ = (
        "_call",
        "_clock",
        "_complete",
        "_log",
        "decision",
        "details",
        "name",
        "policy_revision",
        "principals",
        "request",
        "route",
        "session",
    )

    def __init__(self, log: EventLog, clock: Clock, call: Call) -> None:
        self._log = log
        self._clock = clock
        self._call = call
        self._complete = False
        self.name = ""
        self.request: KubeRequest | None = None
        self.session: Session | None = None
        self.route: Route | None = None
        self.decision: Decision | None = None
        self.policy_revision = 0
        self.principals: Principals | None = None
        self.details: dict[str, object] = {}

    async def received(self) -> None:
        """Write RequestReceived and wait until it is on disk: before a change is forwarded."""
        self._write(EventType.KUBE_REQUEST, Stage.REQUEST_RECEIVED)
        await self._log.sync()

    def started(self, code: int) -> None:
        """Write ResponseStarted: the answer begins and will take a while."""
        self._write(EventType.KUBE_REQUEST, Stage.RESPONSE_STARTED, outcome=Outcome(code=code))

    def complete(self, outcome: Outcome, *, bytes_sent: int = 0) -> None:
        """Write ResponseComplete, once; later calls change nothing."""
        if self._complete:
            return
        self._complete = True
        seconds = round(self._clock.now() - self._call.received, 6)
        extra: dict[str, object] = {"durationSeconds": seconds}
        if bytes_sent:
            extra["bytesSent"] = bytes_sent
        self._write(EventType.KUBE_REQUEST, Stage.RESPONSE_COMPLETE, outcome=outcome, extra=extra)

    def session_event(
        self,
        kind: EventType,
        stage: Stage,
        *,
        audit_id: str,
        outcome: Outcome | None = None,
        extra: Mapping[str, object],
    ) -> None:
        """Write an event of a session or port under its own id, joined by `requestAuditID`."""
        joined = {"requestAuditID": self._call.audit_id, **extra}
        self._log.append(self._event(kind, stage, audit_id, outcome, joined))

    async def sync(self) -> None:
        """Wait until everything written so far is on disk."""
        await self._log.sync()

    def _write(
        self,
        kind: EventType,
        stage: Stage,
        *,
        outcome: Outcome | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        details = {**self.details, **extra} if extra else self.details
        self._log.append(self._event(kind, stage, self._call.audit_id, outcome, details))

    def _event(  # noqa: PLR0917 - one place where an event is put together
        self,
        kind: EventType,
        stage: Stage,
        audit_id: str,
        outcome: Outcome | None,
        details: Mapping[str, object],
    ) -> Event:
        call, request, principals, route = self._call, self.request, self.principals, self.route
        return Event(
            type=kind,
            audit_id=audit_id,
            stage=stage,
            time=self._clock.now(),
            received=call.received,
            actor=actor(self.session) if self.session else None,
            source_ip=call.peer.address,
            user_agent=_header(call, b"user-agent"),
            cluster=self.name,
            cluster_labels=route.cluster.labels if route else {},
            verb=request.verb if request else call.method.lower(),
            path=request.path if request else "",
            object_ref=object_ref(request) if request else None,
            impersonated_user=principals.user if principals else "",
            impersonated_groups=principals.groups if principals else (),
            decision=self.decision,
            policy_revision=self.policy_revision,
            outcome=outcome,
            details=details,
        )


def kubectl_session(call: Call) -> str:
    """The client's own id of one kubectl command, equal on its WebSocket and SPDY tries; a hint."""
    return _header(call, b"kubectl-session")


def actor(session: Session) -> Actor:
    """The session's owner in the words of the audit log; made once for each state of a session."""
    found = _actors.get(session.id)
    # New roles or traits of a person make a new Session of the same id.
    if found is None or found[0] is not session:
        if len(_actors) >= _MAX_ACTORS:
            _actors.clear()
        found = _actors[session.id] = (session, _actor(session))
    return found[1]


def _actor(session: Session) -> Actor:
    return Actor(
        username=session.user,
        connector=session.connector,
        subject=session.subject,
        session=session.id,
        roles=session.roles,
        traits_digest=_digest(session.traits) if session.traits else "",
    )


@lru_cache(maxsize=1024)
def object_ref(request: KubeRequest) -> ObjectRef | None:
    """What a request names, or None for discovery and the like."""
    what = request.what
    if not what.resource:
        return None
    return ObjectRef(
        api_group=what.api_group,
        api_version=request.api_version,
        resource=what.resource,
        subresource=what.subresource,
        namespace=what.namespace,
        name=what.name,
    )


def _digest(traits: Traits) -> str:
    text = json.dumps(dict(traits), sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _header(call: Call, name: bytes) -> str:
    value = first(call.headers, name)
    return value[:_MAX_TEXT].decode("latin-1") if value else ""
