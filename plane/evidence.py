"""What the roles say about recording, and what is written about sessions that a crash cut off."""

from collections.abc import Callable

from plane.audit.events import Actor, Event, EventType
from plane.clock import Clock
from plane.proxy.trail import Trail
from plane.recording.archive import Archive
from policies.model import Role

Roles = Callable[[tuple[str, ...]], tuple[Role, ...]]


class RecordingRules:
    """The proxy's `RecordingRule` from the live roles: strict unless every role says otherwise."""

    def __init__(self, roles: Roles, *, keep_input: bool) -> None:
        self._roles = roles
        self._keep_input = keep_input

    def strict(self, trail: Trail) -> bool:
        """Whether the session must end when it cannot be recorded."""
        assert trail.session is not None
        # A role that says nothing is strict: recording is not to be avoided by omission.
        roles = self._roles(trail.session.roles)
        return any(role.options.record_session != "best_effort" for role in roles) or not roles

    def keep_input(self, trail: Trail) -> bool:  # noqa: ARG002 - a role may say it one day
        """Whether typed bytes are kept."""
        return self._keep_input


def close_interrupted(archive: Archive, emit: Callable[[Event], object], clock: Clock) -> None:
    """Give every recording that a crash left open its end, in the audit log, too."""
    for sidecar in archive.sweep():
        now = clock.now()
        emit(
            Event(
                type=EventType.SESSION_END,
                audit_id=str(sidecar["id"]),
                time=now,
                received=now,
                actor=Actor(
                    username=str(sidecar.get("user", "")), session=str(sidecar.get("session", ""))
                ),
                cluster=str(sidecar.get("cluster", "")),
                details={
                    "closedBy": "crash",
                    "reason": "plane was interrupted while this session ran",
                    "requestAuditID": str(sidecar.get("auditID", "")),
                },
            )
        )
