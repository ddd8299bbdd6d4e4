"""One event as one line of JSON: the field names on disk, and nothing that is empty.

Names follow audit.k8s.io/v1 where they fit
(https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/). JSON escapes line breaks, so
no client-sent text can begin a line of its own. docs/reference/audit-events.md lists the fields.
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from plane.audit.events import Actor, Event, EventType, ObjectRef, Outcome, Stage
from plane.clock import rfc3339
from policies.model import Decision


class _Part(msgspec.Struct, omit_defaults=True, rename="camel", gc=False):
    """What all parts of a line share: camelCase names, empty fields left out."""


class User(_Part):
    """Who acted."""

    username: str
    connector: str = ""
    subject: str = ""
    session: str = ""
    roles: tuple[str, ...] = ()
    traits_digest: str = ""


class Reference(_Part):
    """The object or collection in the cluster."""

    api_group: str = ""
    api_version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class Impersonated(_Part):
    """The principals that the cluster saw."""

    username: str = ""
    groups: tuple[str, ...] = ()


class Verdict(_Part):
    """What policies decided and by which role and rule; `allowed` is always written."""

    allowed: bool
    role: str = ""
    rule: str = ""
    reason: str = ""
    policy_revision: int = 0


class Response(_Part):
    """The HTTP code of the answer, and plane's own reason and message."""

    code: int
    reason: str = ""
    message: str = ""


class Line(_Part):
    """The whole line; a hash chain will add fields at its end."""

    seq: int
    writer: str
    type: EventType
    audit_id: str = msgspec.field(name="auditID")
    stage: Stage
    stage_timestamp: str
    request_received_timestamp: str
    user: User | None = None
    source_ips: tuple[str, ...] = msgspec.field(name="sourceIPs", default=())
    user_agent: str = ""
    cluster: str = ""
    cluster_labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    verb: str = ""
    path: str = ""
    object_ref: Reference | None = None
    impersonated_user: Impersonated | None = None
    decision: Verdict | None = None
    response_status: Response | None = None
    details: Mapping[str, object] = msgspec.field(default_factory=dict)


def encode(event: Event, *, seq: int, writer: str) -> bytes:
    """Write the event as a line with its line feed; TypeError when `details` is not JSON."""
    line = _line(event, seq, writer)
    try:
        return _encoder.encode(line) + b"\n"
    except UnicodeEncodeError:
        # A lone surrogate in what a client sent must not cost the event.
        return _encoder.encode(_without_surrogates(msgspec.to_builtins(line))) + b"\n"


def _line(event: Event, seq: int, writer: str) -> Line:
    return Line(
        seq=seq,
        writer=writer,
        type=event.type,
        audit_id=event.audit_id,
        stage=event.stage,
        stage_timestamp=_instant(event.time),
        request_received_timestamp=_instant(event.received),
        user=_user(event.actor),
        source_ips=(event.source_ip,) if event.source_ip else (),
        user_agent=event.user_agent,
        cluster=event.cluster,
        cluster_labels=event.cluster_labels or {},
        verb=event.verb,
        path=event.path,
        object_ref=_reference(event.object_ref),
        impersonated_user=_impersonated(event),
        decision=_verdict(event.decision, event.policy_revision),
        response_status=_response(event.outcome),
        details=event.details or {},
    )


def _instant(seconds: float) -> str:
    # As rfc3339(), which at 3 us each would be half of the cost of a line.
    whole, milliseconds = divmod(round(seconds * 1e6) // 1000, 1000)
    return f"{_second(whole)}{milliseconds:03d}Z"


@lru_cache(maxsize=64)
def _second(whole: int) -> str:
    return rfc3339(whole).removesuffix("000Z")


def _user(actor: Actor | None) -> User | None:
    if actor is None:
        return None
    return User(
        actor.username,
        actor.connector,
        actor.subject,
        actor.session,
        actor.roles,
        actor.traits_digest,
    )


def _reference(ref: ObjectRef | None) -> Reference | None:
    if ref is None:
        return None
    return Reference(
        ref.api_group, ref.api_version, ref.resource, ref.subresource, ref.namespace, ref.name
    )


def _impersonated(event: Event) -> Impersonated | None:
    if not event.impersonated_user and not event.impersonated_groups:
        return None
    return Impersonated(event.impersonated_user, event.impersonated_groups)


def _verdict(decision: Decision | None, revision: int) -> Verdict | None:
    if decision is None:
        return None
    return Verdict(decision.allowed, decision.role, decision.rule, decision.reason, revision)


def _response(outcome: Outcome | None) -> Response | None:
    return None if outcome is None else Response(outcome.code, outcome.reason, outcome.message)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):  # a mapping proxy, for instance
        return dict(value)
    message = f"{type(value).__name__} is no JSON value"
    raise TypeError(message)


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(each) for each in value]
    return value


_encoder = msgspec.json.Encoder(enc_hook=_plain)
