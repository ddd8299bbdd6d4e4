"""`spec.options` of a role document."""

from policies import fields
from policies.options import MFA_ORDER, REQUEST_ACCESS_ORDER, RoleOptions
from policies.reading import Reader

_STRICTNESS = ("strict", "best_effort")
_MFA_WORDS = {"yes": "session", "no": "off", "true": "session", "false": "off"}
_PATH = "spec.options"


def read_options(reader: Reader, value: object, foreign: list[str]) -> RoleOptions:
    """Read the options; those of other protocols are added to `foreign`."""
    given = dict(reader.mapping(_PATH, value))
    others = {key: given.pop(key) for key in sorted(fields.FOREIGN_OPTIONS & set(given))}
    foreign += [f"options.{key}" for key, each in others.items() if each not in (None, [], {}, "")]
    _device_trust(reader, given.pop(fields.DEVICE_TRUST, None))
    given = dict(reader.known(_PATH, given, fields.OPTIONS))

    def at(key: str) -> tuple[str, object]:
        return f"{_PATH}.{key}", given.get(key)

    return RoleOptions(
        max_session_ttl_seconds=reader.seconds(*at("max_session_ttl")),
        client_idle_timeout_seconds=reader.seconds(*at("client_idle_timeout")),
        disconnect_expired_cert=reader.truth(*at("disconnect_expired_cert")),
        max_kubernetes_connections=reader.count(*at("max_kubernetes_connections")),
        max_sessions=reader.count(*at("max_sessions")),
        pin_source_ip=reader.truth(*at("pin_source_ip")),
        record_session=_record_session(reader, given.get("record_session"), foreign),
        require_session_mfa=_mfa(reader, given.get("require_session_mfa")),
        mfa_verification_interval_seconds=reader.seconds(*at("mfa_verification_interval")),
        lock=reader.one_of(*at("lock"), _STRICTNESS),
        request_access=reader.one_of(*at("request_access"), REQUEST_ACCESS_ORDER),
        request_prompt=reader.text(*at("request_prompt")),
    )


def _device_trust(reader: Reader, value: object) -> None:
    if value not in (None, "", "off", "optional", False):
        reader.fault(
            f"{_PATH}.{fields.DEVICE_TRUST}",
            "plane has no device trust; it refuses the role rather than ignore this",
        )


def _record_session(reader: Reader, value: object, foreign: list[str]) -> str | None:
    path = f"{_PATH}.record_session"
    given = reader.known(path, value, fields.RECORD_SESSION)
    foreign += [f"options.record_session.{key}" for key in ("ssh", "desktop") if key in given]
    return reader.one_of(f"{path}.default", given.get("default"), _STRICTNESS)


def _mfa(reader: Reader, value: object) -> str | None:
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if isinstance(value, str):
        value = _MFA_WORDS.get(value.lower(), value)
    return reader.one_of(f"{_PATH}.require_session_mfa", value, MFA_ORDER)
