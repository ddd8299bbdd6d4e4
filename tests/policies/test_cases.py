"""Runs every policy test in cases/ and in the examples, in the format users write themselves."""

from pathlib import Path

import pytest
import yaml

from policies.model import Role
from policies.parse import parse_role
from policies.presets import PRESETS
from policies.testing import Result, read_test, run_test

CASES = Path(__file__).parent / "cases"
ROLES: dict[str, Role] = {role.name: role for role in map(parse_role, PRESETS)}


def results() -> list[Result]:
    return [
        result
        for path in sorted(CASES.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
        for result in run_test(read_test(document), ROLES)
    ]


@pytest.mark.parametrize("result", results(), ids=lambda r: f"{r.test}: {r.case}: {r.asked}")
def test_case(result: Result):
    assert result.problems == ()


def test_there_are_at_least_300_cases():
    assert len(results()) >= 300
