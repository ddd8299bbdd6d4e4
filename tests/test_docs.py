"""The papers say what is there: paths, folders, tests and dependencies that they name exist."""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
# `plane/kube/request.py`, `tests/e2e/`: what begins with a folder of ours is a path of ours.
PATH = re.compile(r"`((?:plane|connectors|policies|cli|tests|examples|docs)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def text(page):
    return (ROOT / page).read_text()


@cache
def known_tests(path):
    return set(re.findall(r"^ *(?:async )?def (test_\w+)", (ROOT / path).read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page):
    named = {ROOT / path for path in PATH.findall(text(page))}
    linked = {(ROOT / page).parent / path for path in LINK.findall(text(page))}
    assert sorted(str(path) for path in named | linked if not path.exists()) == []


def test_the_map_names_every_folder_of_code():
    page = text("docs/architecture.md")
    folders = [
        init.parent.relative_to(ROOT).as_posix()
        for top in ("plane", "connectors", "policies", "cli")
        for init in (ROOT / top).rglob("__init__.py")
    ]
    assert [folder for folder in folders if f"| `{folder}/` |" not in page] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_a_page_names_exists(page):
    named = TEST.findall(text(page))
    assert [f"{path}::{name}" for path, name in named if name not in known_tests(path)] == []


def test_every_threat_names_its_test():
    section = text("SECURITY.md").partition("## Threats")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if re.match(r"\| (?!Threat|-)", line)]
    assert len(rows) > 30
    assert [row for row in rows if not TEST.search(row)] == []


def test_every_dependency_has_its_reason():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    wanted = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.match(r"[\w-]+", each)[0] for group in wanted for each in group}
    page = text("docs/decisions/0002-dependencies.md")
    assert set(re.findall(r"^\| `([\w-]+)` \| \S", page, re.MULTILINE)) == names


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_its_four_parts(path):
    parts = ("Context", "Decision", "Consequences", "Alternatives")
    assert [part for part in parts if f"\n**{part}.**" not in path.read_text()] == []
