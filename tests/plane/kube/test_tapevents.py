import pytest

from plane.kube.tap import Ended


def failure(*causes):
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": list(causes)}}


CASES = [
    (None, None),
    ({}, None),
    ({"status": "Success"}, 0),
    (failure({"reason": "ExitCode", "message": "7"}), 7),
    (failure({"reason": "Other"}, {"reason": "ExitCode", "message": "137"}), 137),
    (failure({"reason": "ExitCode", "message": "-1"}), None),
    (failure({"reason": "ExitCode", "message": "9" * 5000}), None),
    (failure({"reason": "ExitCode", "message": "\u0667"}), None),
    (failure({"reason": "ExitCode", "message": None}), None),
    (failure("ExitCode"), None),
    ({"status": "Failure", "details": {"causes": "ExitCode"}}, None),
    ({"status": "Failure", "details": ["causes"]}, None),
    ({"status": "Failure", "reason": "InternalError", "code": 500}, None),
]


@pytest.mark.parametrize(("status", "code"), CASES)
def test_exit_code_is_read_from_the_causes_only(status, code):
    assert Ended(status=status).exit_code == code
