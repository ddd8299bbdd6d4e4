"""The one door for refusals and faults: a Kubernetes Status, audited before it leaves."""

import logging

from plane.audit.events import Outcome
from plane.errors import EvidenceUnavailable, PlaneError, TooManyRequests
from plane.kube.status import status
from plane.proxy.call import Call
from plane.proxy.trail import Trail

_log = logging.getLogger(__name__)
_DISCOVERY = frozenset({"/api", "/apis"})


def refuse(call: Call, trail: Trail, error: PlaneError) -> None:
    """Answer with the error; a body that already began is broken off instead."""
    if error.detail:
        _log.warning("%s: %s (audit %s)", error.message, error.detail, call.audit_id)
    message = f"{error.message} (audit {call.audit_id})"
    outcome = Outcome(code=error.status, reason=error.reason, message=error.message)
    try:
        trail.complete(outcome)
    except EvidenceUnavailable:
        # A refusal needs no record to be safe; only what is done does.
        _log.exception("a refusal could not be written to the audit log")
    if call.reply.started:
        call.reply.abort()
        return
    body = status(code=error.status, reason=error.reason, message=message)
    kind = b"application/json"
    if trail.request is not None and trail.request.path.rstrip("/") in _DISCOVERY:
        # client-go shows what it reads during discovery only as text; a Status becomes "unknown".
        kind, body = b"text/plain; charset=utf-8", message.encode()
    headers = [(b"Content-Type", kind), (b"Audit-Id", call.audit_id.encode())]
    headers += [(b"X-Content-Type-Options", b"nosniff"), (b"Cache-Control", b"no-store")]
    if isinstance(error, TooManyRequests):
        headers.append((b"Retry-After", b"1"))
    call.reply.head(error.status, headers, length=len(body))
    call.reply.data(body)
    call.reply.end()
