"""The audit vocabulary: every event plane writes, on one page.

Field names in JSON follow audit.k8s.io/v1 where they fit
(https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/); log.py writes them.
Values never hold tokens, cookies, bodies or a query string.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from policies.model import Decision


class EventType(StrEnum):
    """What happened, as `subject.action`."""

    KUBE_REQUEST = "kube.request"
    SESSION_START = "session.start"
    SESSION_END = "session.end"
    PORT_OPEN = "port.open"
    USER_LOGIN = "user.login"
    USER_LOGOUT = "user.logout"
    USER_INVITE = "user.invite"
    USER_PASSWORD = "user.password"  # noqa: S105 - an event's name
    CERTIFICATE_CREATE = "certificate.create"
    API_REQUEST = "api.request"
    RESOURCE_CREATE = "resource.create"
    RESOURCE_UPDATE = "resource.update"
    RESOURCE_DELETE = "resource.delete"
    RECORDING_ACCESS = "recording.access"
    AUDIT_READ = "audit.read"
    CLUSTER_REGISTER = "cluster.register"
    SERVER_START = "server.start"
    SERVER_STOP = "server.stop"


class Stage(StrEnum):
    """Where in its life the request was when the event was written (audit.k8s.io/v1 stages).

    A change or a session has a synced RequestReceived before it is forwarded; a long-running
    request (watch, log, exec) has ResponseStarted when its answer begins; everything has
    ResponseComplete. Lines of one request share the auditID.
    """

    REQUEST_RECEIVED = "RequestReceived"
    RESPONSE_STARTED = "ResponseStarted"
    RESPONSE_COMPLETE = "ResponseComplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acted: the display name, where the name comes from, and the inputs of decisions."""

    username: str
    connector: str = ""
    subject: str = ""
    session: str = ""
    roles: tuple[str, ...] = ()
    traits_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """The Kubernetes object or collection that a request names."""

    api_group: str = ""
    api_version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer: an HTTP code, and reason and message where plane itself answered."""

    code: int
    reason: str = ""
    message: str = ""


# Not frozen, against the house's rule: freezing sets 22 fields one by one through __setattr__,
# which doubles what an event costs, and one is made for every request. Nobody changes one.
@dataclass(slots=True, kw_only=True)
class Event:
    """One line of the audit log; `details` holds what only this type has (JSON values)."""

    type: EventType
    audit_id: str
    stage: Stage = Stage.RESPONSE_COMPLETE
    time: float
    received: float
    actor: Actor | None = None
    source_ip: str = ""
    user_agent: str = ""
    cluster: str = ""
    cluster_labels: Mapping[str, str] = field(default_factory=dict)
    verb: str = ""
    path: str = ""
    object_ref: ObjectRef | None = None
    impersonated_user: str = ""
    impersonated_groups: tuple[str, ...] = ()
    decision: Decision | None = None
    policy_revision: int = 0
    outcome: Outcome | None = None
    details: Mapping[str, object] = field(default_factory=dict)
