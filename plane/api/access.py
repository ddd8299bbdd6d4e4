"""One call of the API: who makes it, whether they may, and the evidence of it.

A refusal is an audit event. A change is one event before it happens (when that cannot be
written, nothing happens) and one after, under an audit id of its own.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from quart import Request, g

from plane.api.caller import client_of
from plane.audit.events import Event, EventType, Outcome, Stage
from plane.clock import SYSTEM, Clock
from plane.errors import EvidenceUnavailable, Forbidden, PlaneError, Unauthenticated
from plane.identity.journal import actor_of
from plane.identity.session import Session
from policies.decide import api_decide
from policies.model import Decision, Role

CallerOf = Callable[[Request], Awaitable[Session]]
Emit = Callable[[Event], object]
Sync = Callable[[], Awaitable[None]]
_log = logging.getLogger(__name__)


class Roles(Protocol):
    """The live roles; resources.policies.LivePolicies is one."""

    @property
    def revision(self) -> int:
        """Grows with every change."""
        ...

    def roles(self, names: Iterable[str]) -> tuple[Role, ...]:
        """The roles; Forbidden when one is missing."""
        ...


async def _no_sync() -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What every blueprint needs: `caller` raises Unauthenticated, `emit` EvidenceUnavailable."""

    caller: CallerOf
    policies: Roles
    emit: Emit
    sync: Sync = _no_sync
    clock: Clock = SYSTEM

    @asynccontextmanager
    async def visit(self, request: Request) -> AsyncIterator["Visit"]:
        """Identify the caller; refusals inside are written to the audit log."""
        visit = Visit(self, request)
        g.audit_id = visit.audit_id
        try:
            visit.session = await self.caller(request)
            yield visit
        except PlaneError as error:
            visit.failed(error)
            raise
        except Exception:
            visit.failed(PlaneError("unexpected error"))
            raise


class Visit:
    """One call under way."""

    def __init__(self, access: Access, request: Request) -> None:
        self._access = access
        self._changes: list[Event] = []
        self.session: Session | None = None
        self.decision: Decision | None = None
        self.audit_id = access.clock.uuid()
        client = client_of(request)
        self._base = Event(
            type=EventType.API_REQUEST,
            audit_id=self.audit_id,
            time=access.clock.now(),
            received=access.clock.now(),
            source_ip=client.address,
            user_agent=client.agent,
            verb=request.method.lower(),
            path=request.path,
            policy_revision=access.policies.revision,
        )

    @property
    def person(self) -> Session:
        """The caller."""
        if self.session is None:
            raise Unauthenticated("log in with: plane login")
        return self.session

    def roles(self) -> tuple[Role, ...]:
        """The caller's roles as they are now."""
        return self._access.policies.roles(self.person.roles)

    def may(self, resource: str, verb: str) -> bool:
        """Whether the caller has a right; the decision goes into what is written next."""
        self.decision = api_decide(self.roles(), self.person.person, resource=resource, verb=verb)
        return self.decision.allowed

    def require(self, resource: str, verb: str) -> Decision:
        """The decision that allows it; Forbidden without the right."""
        allowed = self.may(resource, verb)
        assert self.decision is not None
        if not allowed:
            reason = self.decision.reason
            raise Forbidden(f"you may not {verb} {resource} resources of plane: {reason}")
        return self.decision

    def changing(
        self, kind: EventType, details: Mapping[str, object], *, decision: Decision
    ) -> None:
        """Write that a change is about to happen, under an audit id of its own."""
        event = replace(
            self._event(),
            type=kind,
            audit_id=self._access.clock.uuid(),
            stage=Stage.REQUEST_RECEIVED,
            decision=decision,
            details={**details, "requestAuditID": self.audit_id},
        )
        self._access.emit(event)
        self._changes.append(event)

    def reading(self, kind: EventType, details: Mapping[str, object]) -> None:
        """Write that evidence is read, before it is shown; EvidenceUnavailable shows nothing."""
        event = replace(self._event(), type=kind, outcome=Outcome(code=200), details=details)
        self._access.emit(event)

    async def on_disk(self) -> None:
        """Wait until what `changing` wrote would survive a power cut."""
        await self._access.sync()

    def changed(self, results: Iterable[Mapping[str, object]], *, code: int = 200) -> None:
        """Write that the changes happened; `results` adds to the details of each, in order."""
        changes, self._changes = self._changes, []
        for event, result in zip(changes, results, strict=True):
            self._complete(event, Outcome(code=code), {**event.details, **result})

    def failed(self, error: PlaneError) -> None:
        """Write a refusal, or that announced changes did not happen."""
        outcome = Outcome(code=error.status, reason=error.reason, message=error.message)
        for event in self._changes:
            self._complete(event, outcome, event.details)
        if isinstance(error, Unauthenticated | Forbidden) and not self._changes:
            self._complete(self._event(), outcome, {})

    def _complete(self, event: Event, outcome: Outcome, details: Mapping[str, object]) -> None:
        complete = replace(
            event,
            stage=Stage.RESPONSE_COMPLETE,
            time=self._access.clock.now(),
            outcome=outcome,
            details=details,
        )
        try:
            self._access.emit(complete)
        except EvidenceUnavailable:
            # A change was announced before it happened, and a refusal is safe without record.
            _log.exception("the end of %s could not be written to the audit log", event.audit_id)

    def _event(self) -> Event:
        who = actor_of(self.session) if self.session is not None else None
        return replace(self._base, actor=who, decision=self.decision)
