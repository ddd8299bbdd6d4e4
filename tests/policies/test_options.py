import pytest

from policies.errors import PolicyError
from policies.options import Options, merge
from policies.parse import parse_role


def role(**options):
    document = {"kind": "role", "version": "v8", "metadata": {"name": "r"}}
    return parse_role({**document, "spec": {"options": options}})


def test_no_roles_and_silent_roles_have_the_defaults():
    assert merge([]) == merge([role()]) == Options()
    assert Options().max_session_ttl_seconds == 30 * 3600


# Every row of the table of options: name, values of the roles, the field, what holds.
@pytest.mark.parametrize(
    ("name", "values", "field", "expected"),
    [
        ("max_session_ttl", ["8h", "1h30m"], "max_session_ttl_seconds", 5400),
        ("max_session_ttl", ["100h", None], "max_session_ttl_seconds", 30 * 3600),
        ("max_session_ttl", ["100h"], "max_session_ttl_seconds", 360_000),
        ("client_idle_timeout", ["0s", "10m", "5m"], "client_idle_timeout_seconds", 300),
        ("client_idle_timeout", ["never"], "client_idle_timeout_seconds", None),
        ("disconnect_expired_cert", [False, True], "disconnect_expired_cert", True),
        ("disconnect_expired_cert", ["no", None], "disconnect_expired_cert", False),
        ("require_session_mfa", [False, "yes"], "require_session_mfa", "session"),
        ("require_session_mfa", [True, "hardware_key"], "require_session_mfa", "hardware_key"),
        ("require_session_mfa", ["off"], "require_session_mfa", "off"),
        ("mfa_verification_interval", ["1m", "30s"], "mfa_verification_interval_seconds", 30),
        ("lock", ["best_effort", "strict"], "lock", "strict"),
        ("lock", [None], "lock", "best_effort"),
        (
            "record_session",
            [{"default": "strict"}, {"default": "best_effort"}],
            "record_session",
            "strict",
        ),
        ("record_session", [{}, None], "record_session", "best_effort"),
        ("max_kubernetes_connections", [5, 3, 0], "max_kubernetes_connections", 3),
        ("max_kubernetes_connections", [0], "max_kubernetes_connections", None),
        ("max_sessions", [2, 9], "max_sessions", 2),
        ("pin_source_ip", [False, True], "pin_source_ip", True),
        ("request_access", ["optional", "always"], "request_access", "always"),
        ("request_access", ["always", "reason"], "request_access", "reason"),
        ("request_prompt", ["a", "b", "a"], "request_prompt", "a\nb"),
    ],
)
def test_the_strictest_wins(name, values, field, expected):
    roles = [role(**({} if value is None else {name: value})) for value in values]
    assert getattr(merge(roles), field) == expected


def test_the_order_of_roles_does_not_matter():
    one, other = (
        role(max_session_ttl="8h", lock="strict"),
        role(max_session_ttl="1h", max_sessions=3),
    )
    assert merge([one, other]) == merge([other, one])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_session_ttl", "8 hours"),
        ("max_session_ttl", ""),
        ("max_session_ttl", -1),
        ("client_idle_timeout", 5),
        ("disconnect_expired_cert", "maybe"),
        ("max_kubernetes_connections", -1),
        ("max_kubernetes_connections", "3"),
        ("max_sessions", True),
        ("record_session", "strict"),
        ("record_session", {"default": "loose"}),
        ("record_session", {"k9s": "strict"}),
        ("require_session_mfa", "sometimes"),
        ("lock", "loose"),
        ("request_access", "never"),
        ("device_trust_mode", "required"),
        ("unknown", 1),
    ],
)
def test_a_faulty_option_is_refused_with_its_path(name, value):
    with pytest.raises(PolicyError) as caught:
        role(**{name: value})
    assert caught.value.problems[0][0].startswith(f"spec.options.{name}")
