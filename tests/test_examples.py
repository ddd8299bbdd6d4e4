"""Every file in examples/ is one that plane accepts; a new file needs a check here."""

from pathlib import Path

import pytest
import yaml

from plane.config import load
from plane.resources.selftest import MANIFEST
from plane.resources.service import Resources
from plane.store.memory import MemoryStore
from plane.store.secrets import SecretBox

EXAMPLES = Path(__file__).parents[1] / "examples"
RESOURCES = ("clusters.yaml", "oidc.yaml", "roles.yaml", "users.yaml")
# Checked where the code is that reads them.
ELSEWHERE = ()


def uncommented(path):
    """The file with every setting that is commented out (`#key: value`) taken in."""
    lines = path.read_text().splitlines()
    kept = []
    for line in lines:
        text = line.lstrip()
        example = text.startswith("#") and text[1:2].islower() and not text.endswith("|")
        kept.append(line.replace("#", "", 1) if example else line)
    return "\n".join(kept)


@pytest.fixture
async def resources():
    store = MemoryStore()
    yield Resources(store, SecretBox(b"k" * 32))
    await store.close()


@pytest.mark.parametrize("name", RESOURCES)
@pytest.mark.parametrize("everything", [False, True])
async def test_resources_are_accepted_without_a_warning(resources, name, everything):
    path = EXAMPLES / name
    await resources.apply((EXAMPLES / "roles.yaml").read_text(), mode="create")
    text = uncommented(path) if everything else path.read_text()
    applied = await resources.apply(text, mode="create")
    assert applied
    assert [warning for each in applied for warning in each.warnings] == []


async def test_resources_come_out_as_they_went_in(resources):
    for name in RESOURCES:
        await resources.apply((EXAMPLES / name).read_text(), mode="create")
    for kind in ("role", "user", "cluster", "oidc"):
        documents = await resources.list(kind)
        assert documents
        again = await resources.apply(yaml.safe_dump_all(documents), mode="create")
        assert {each.action for each in again} == {"unchanged"}


def test_the_configuration_loads():
    assert load(EXAMPLES / "plane.yaml", {"HOME": "/"}).warnings == ()


def test_the_manifest_grants_what_the_selftest_asks_for():
    """No more and no less: this credential is the mightiest that plane has."""
    documents = list(yaml.safe_load_all((EXAMPLES.parent / MANIFEST).read_text()))
    (role,) = (each for each in documents if each["kind"] == "ClusterRole")
    granted = {
        (verb, resource)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
    }
    assert granted == {
        ("impersonate", "users"),
        ("impersonate", "groups"),
        ("impersonate", "serviceaccounts"),
        ("get", "namespaces"),
    }


def test_every_example_is_checked_somewhere():
    checked = {*RESOURCES, *ELSEWHERE, "plane.yaml", Path(MANIFEST).name}
    files = [path for path in EXAMPLES.rglob("*") if path.is_file()]
    assert {path.name for path in files} - checked == set()
