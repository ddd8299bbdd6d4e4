"""docs/reference/roles.md tells every field, option, verb and function, and its examples work."""

import re
from pathlib import Path

import pytest
import yaml

from policies import fields
from policies.expression import CONTEXT
from policies.kinds import VERBS
from policies.parse import parse_role
from policies.templates import INTERNAL
from policies.testing import read_test, run_test
from policies.versions import VERSIONS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "roles.md").read_text()
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
WORDS = set(re.findall(r"[A-Za-z_.]+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))


@pytest.mark.parametrize(
    "name",
    sorted(
        fields.ROLE
        | {f"metadata.{name}" for name in fields.METADATA}
        | {f"spec.{name}" for name in fields.SPEC}
        | fields.CONDITIONS
        | fields.RESOURCE
        | fields.RULE
        | fields.IMPERSONATE
        | fields.REQUEST
        | fields.REASON
        | fields.THRESHOLD
        | fields.REVIEW_REQUESTS
        | fields.OPTIONS
        | fields.RECORD_SESSION
        | set(fields.API_RESOURCES)
        | set(fields.API_ALIASES)
        | set(fields.API_VERBS)
        | set(VERBS)
        | set(CONTEXT)
        | {f"internal.{name}" for name in INTERNAL} - {"spec", "metadata"}
    ),
)
def test_every_field_is_documented(name):
    assert name in WORDS or any(word.startswith(f"{name}.") for word in WORDS)


def test_every_version_has_its_row():
    rows = re.findall(r"^\| (v[0-9, v]+) \|", PAGE, re.MULTILINE)
    assert {version for row in rows for version in row.split(", ")} == set(VERSIONS)


def test_every_option_has_its_row():
    rows = set(re.findall(r"^\| `([a-z_]+)`", PAGE.split("## `spec.options`")[1], re.MULTILINE))
    assert rows == fields.OPTIONS


def test_the_examples_of_the_page_work():
    role, test = EXAMPLES
    results = run_test(read_test(test), {"shop-developers": parse_role(role)})
    assert len(results) == 7
    assert [problem for result in results for problem in result.problems] == []
