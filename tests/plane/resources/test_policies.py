import asyncio

import pytest

from plane.errors import Forbidden
from plane.resources.policies import LivePolicies
from plane.store.base import Write
from policies.decide import decide
from policies.model import Cluster, Request, Subject

ROLE = """\
kind: role
version: v8
metadata: {name: %s}
spec: {allow: {kubernetes_labels: {env: dev}, kubernetes_groups: [dev]}}
"""


@pytest.fixture
async def policies(store, resources):
    await resources.apply(ROLE % "a", mode="create")
    policies = LivePolicies(store, resources)
    await policies.start()
    yield policies
    await policies.close()


async def test_roles_come_in_the_order_of_the_names(policies, resources):
    await resources.apply(ROLE % "b", mode="create")
    await asyncio.sleep(0)
    assert [role.name for role in policies.roles(["b", "a"])] == ["b", "a"]
    assert policies.roles([]) == ()


async def test_an_edit_acts_at_once_and_moves_the_revision(policies, resources):
    before, heard = policies.revision, []
    policies.on_change(heard.append)
    changed = (ROLE % "a").replace("[dev]", "[ops]")
    await resources.apply(changed, mode="upsert")
    await asyncio.sleep(0)
    assert policies.revision > before
    assert heard == ["a"]
    person, west = Subject(name="joe"), Cluster(name="west", labels={"env": "dev"})
    version = Request(verb="get", path="/version")
    assert decide(policies.roles(["a"]), person, west, version).groups == ("ops",)


async def test_a_missing_role_allows_nothing_instead_of_being_skipped(policies):
    with pytest.raises(Forbidden, match="'deny-prod' does not exist any more"):
        policies.roles(["a", "deny-prod"])


async def test_a_role_that_cannot_be_read_allows_nothing(policies, store):
    await store.put(Write(kind="role", name="a", body={"kind": "role", "version": "v99"}))
    await asyncio.sleep(0)
    with pytest.raises(Forbidden, match="cannot be understood"):
        policies.roles(["a"])
