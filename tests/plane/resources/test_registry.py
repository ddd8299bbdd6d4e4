"""The table of kinds, and that its reference tells about every field."""

import inspect
import re
from pathlib import Path

import pytest

from plane.errors import NotFound
from plane.resources import cluster, oidc, user
from plane.resources.registry import KINDS, find

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "resources.md"
_READ = re.compile(r'spec\.(?:text|texts|flag|traits|children|raw)\(\s*"(\w+)"')
_REFUSED = {"local_auth", "dynamic_labels", "pkce_mode"}


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("role", "role"),
        ("roles", "role"),
        ("kube_cluster", "cluster"),
        ("Clusters", "cluster"),
        ("connectors", "oidc"),
    ],
)
def test_a_kind_has_several_words(word, name):
    assert find(word).name == name


def test_an_unknown_word_lists_the_kinds():
    with pytest.raises(NotFound, match="the kinds are cluster, oidc, role, user"):
        find("pods")


def test_no_word_means_two_kinds():
    words = [word for kind in KINDS.values() for word in (kind.name, kind.plural, *kind.aliases)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("module", [cluster, oidc, user], ids=lambda module: module.__name__)
def test_the_reference_tells_about_every_field(module):
    source = inspect.getsource(module)
    fields = set(_READ.findall(source)) | set(getattr(module, "_TEXTS", ()))
    text = REFERENCE.read_text()
    assert len(fields) > 1
    missing = {field for field in fields - _REFUSED if f"`spec.{field}`" not in text}
    assert missing == set()


def test_the_reference_has_a_chapter_for_every_kind_with_its_versions():
    chapters = re.findall(r"(?m)^## kind: (\w+) \((\w+)", REFERENCE.read_text())
    assert dict(chapters) == {kind.name: kind.versions[0] for kind in KINDS.values()}
