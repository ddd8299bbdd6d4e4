"""Every error a person or a client may meet, in one tree.

::

    PlaneError                 500 InternalError
    ├── BadRequest             400 BadRequest
    ├── Unauthenticated        401 Unauthorized
    ├── Forbidden              403 Forbidden
    │   └── SessionEnded       403 Forbidden      a live stream whose right was withdrawn
    ├── NotFound               404 NotFound
    ├── Conflict               409 Conflict       also: lost-update guard
    ├── TooLarge               413 RequestEntityTooLarge
    ├── Invalid                422 Invalid        a document, with its place
    ├── TooManyRequests        429 TooManyRequests
    ├── EvidenceUnavailable    503 ServiceUnavailable   audit or recording cannot be written
    ├── StoreUnavailable       503 ServiceUnavailable   the database cannot be opened or written
    ├── UpstreamUnavailable    503 ServiceUnavailable
    └── UpstreamTimeout        504 Timeout

The message is shown to the client and says what to do next; whatever must stay inside goes to
`detail`, which only the log sees.
Reasons: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from dataclasses import dataclass
from typing import ClassVar


class PlaneError(Exception):
    """Something plane refuses or cannot do; `message` is for the client, `detail` for the log."""

    status: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class BadRequest(PlaneError):
    """The request cannot be understood, or not in one way only."""

    status = 400
    reason = "BadRequest"


class Unauthenticated(PlaneError):
    """No credential, or one that is unknown, expired or revoked."""

    status = 401
    reason = "Unauthorized"


class Forbidden(PlaneError):
    """Known person, no right."""

    status = 403
    reason = "Forbidden"


class SessionEnded(Forbidden):
    """A live stream is cut because its right was withdrawn; the message reaches the terminal."""


class NotFound(PlaneError):
    """No such thing, or none that this person may know of."""

    status = 404
    reason = "NotFound"


class Conflict(PlaneError):
    """Somebody else changed it in between, or it exists already."""

    status = 409
    reason = "Conflict"


class TooLarge(PlaneError):
    """A head or body over the limit."""

    status = 413
    reason = "RequestEntityTooLarge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault: `path` like `spec.allow.rules[0].verbs`, line and document counted from 1."""

    message: str
    path: str = ""
    line: int | None = None
    document: int | None = None


class Invalid(PlaneError):
    """A document is refused whole; `problems` says where."""

    status = 422
    reason = "Invalid"

    def __init__(self, message: str, *, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class TooManyRequests(PlaneError):
    """Slow down; the answer carries Retry-After."""

    status = 429
    reason = "TooManyRequests"


class EvidenceUnavailable(PlaneError):
    """The audit log or a strict recording cannot be written, so nothing may happen."""

    status = 503
    reason = "ServiceUnavailable"


class StoreUnavailable(PlaneError):
    """The database cannot be opened or written; nothing was changed."""

    status = 503
    reason = "ServiceUnavailable"


class UpstreamUnavailable(PlaneError):
    """The cluster cannot be reached; the message names it."""

    status = 503
    reason = "ServiceUnavailable"


class UpstreamTimeout(PlaneError):
    """The cluster did not answer in time."""

    status = 504
    reason = "Timeout"
