"""Role options, and how those of several roles become one set: the strictest wins."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policies.model import Role

# Teleport's longest certificate, for a role that says nothing (in seconds).
DEFAULT_SESSION_TTL_SECONDS = 30 * 3600

MFA_ORDER = (
    "off",
    "session",
    "hardware_key",
    "hardware_key_touch",
    "hardware_key_pin",
    "hardware_key_touch_and_pin",
)
REQUEST_ACCESS_ORDER = ("optional", "always", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleOptions:
    """One role's options; None is "says nothing", and durations are seconds."""

    max_session_ttl_seconds: int | None = None
    client_idle_timeout_seconds: int | None = None
    disconnect_expired_cert: bool = False
    max_kubernetes_connections: int | None = None
    max_sessions: int | None = None
    pin_source_ip: bool = False
    record_session: str | None = None
    require_session_mfa: str | None = None
    mfa_verification_interval_seconds: int | None = None
    lock: str | None = None
    request_access: str | None = None
    request_prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What holds for a person with several roles; None is "no limit", durations are seconds."""

    max_session_ttl_seconds: int = DEFAULT_SESSION_TTL_SECONDS
    client_idle_timeout_seconds: int | None = None
    disconnect_expired_cert: bool = False
    max_kubernetes_connections: int | None = None
    max_sessions: int | None = None
    pin_source_ip: bool = False
    record_session: str = "best_effort"
    require_session_mfa: str = "off"
    mfa_verification_interval_seconds: int | None = None
    lock: str = "best_effort"
    request_access: str = "optional"
    request_prompt: str = ""


def merge(roles: "Sequence[Role]") -> Options:
    """The strictest of each option over the roles of a person (the table in roles.md)."""
    each = [role.options for role in roles]
    if not each:
        return Options()
    ttl = (option.max_session_ttl_seconds or DEFAULT_SESSION_TTL_SECONDS for option in each)
    return Options(
        max_session_ttl_seconds=min(ttl),
        client_idle_timeout_seconds=_least(o.client_idle_timeout_seconds for o in each),
        disconnect_expired_cert=any(o.disconnect_expired_cert for o in each),
        max_kubernetes_connections=_least(o.max_kubernetes_connections for o in each),
        max_sessions=_least(o.max_sessions for o in each),
        pin_source_ip=any(o.pin_source_ip for o in each),
        record_session=_strict(o.record_session for o in each),
        require_session_mfa=_last(MFA_ORDER, (o.require_session_mfa for o in each)),
        mfa_verification_interval_seconds=_least(o.mfa_verification_interval_seconds for o in each),
        lock=_strict(o.lock for o in each),
        request_access=_last(REQUEST_ACCESS_ORDER, (o.request_access for o in each)),
        request_prompt="\n".join(dict.fromkeys(o.request_prompt for o in each if o.request_prompt)),
    )


def _least(values: Iterable[int | None]) -> int | None:
    # Zero is Teleport's "no limit".
    return min((value for value in values if value), default=None)


def _strict(values: Iterable[str | None]) -> str:
    return "strict" if "strict" in values else "best_effort"


def _last(order: tuple[str, ...], values: Iterable[str | None]) -> str:
    return order[max((order.index(value) for value in values if value), default=0)]
