"""Inviting people, and what an invite cannot be used for."""

import pytest

from plane.audit.events import EventType
from plane.errors import BadRequest, Conflict, EvidenceUnavailable, Invalid, NotFound
from plane.identity.session import Identity


async def test_an_invited_person_sets_a_password_and_comes_in(house):
    token = await house.add_user("joe", password=None)
    assert await house.users.invited(token) == "joe"
    assert await house.users.accept(token, house.password, house.client) == "joe"
    assert (await house.local.verify("joe", house.password, address="a")).name == "joe"


async def test_an_invite_used_twice_changes_nothing(house):
    token = await house.add_user("joe")
    with pytest.raises(NotFound, match="used already"):
        await house.users.accept(token, "another password here", house.client)
    await house.local.verify("joe", house.password, address="a")


async def test_a_weak_password_does_not_cost_the_link(house):
    token = await house.add_user("joe", password=None)
    with pytest.raises(BadRequest):
        await house.users.accept(token, "short", house.client)
    await house.users.accept(token, house.password, house.client)


async def test_an_invite_of_a_removed_user_is_not_good(house):
    token = await house.add_user("joe", password=None)
    await house.store.delete("user", "joe")
    with pytest.raises(NotFound):
        await house.users.accept(token, house.password, house.client)
    assert await house.store.all("password") == []


@pytest.mark.parametrize("name", ["joe", "Joe", "JOE"])
async def test_a_name_that_differs_by_case_only_is_taken(house, name):
    await house.add_user("joe")
    with pytest.raises(Conflict):
        await house.add_user(name)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../x", "a\nb", "<b>", "x" * 300])
async def test_a_name_that_is_none_is_refused_before_anything_is_written(house, name):
    with pytest.raises(Invalid):
        await house.add_user(name)
    assert house.events == []
    assert await house.store.all("invite") == []


async def test_a_new_user_does_not_inherit_a_namesakes_password(house):
    await house.add_user("joe")
    await house.store.delete("user", "joe")
    await house.add_user("joe", password=None)
    assert await house.store.get("password", "joe") is None


async def test_a_reset_ends_password_sessions_and_former_links(house):
    by = await someone(house)
    await house.add_user("joe")
    session, _ = await house.sessions.start(local("joe"), ttl_seconds=600)
    token, _ = await house.users.reset("joe", by=by, client=house.client)
    assert house.sessions.by_id(session.id) is None
    assert await house.store.get("password", "joe") is None
    await house.users.accept(token, "quite another password", house.client)


async def test_a_reset_of_nobody_is_not_found(house):
    with pytest.raises(NotFound):
        await house.users.reset("nobody", by=await someone(house), client=house.client)


async def test_setting_a_password_ends_the_sessions_begun_with_the_old_one(house):
    await house.add_user("joe")
    session, _ = await house.sessions.start(local("joe"), ttl_seconds=600)
    token, _ = await house.invites.create("joe")
    await house.users.accept(token, "quite another password", house.client)
    assert house.sessions.by_id(session.id) is None


async def test_the_first_admin_is_invited_until_somebody_has_a_password(house):
    first, _ = await house.users.first_admin(house.client)
    second, _ = await house.users.first_admin(house.client)
    with pytest.raises(NotFound):
        await house.users.invited(first)
    assert await house.users.accept(second, house.password, house.client) == "admin"
    assert await house.users.first_admin(house.client) is None
    who = await house.local.verify("admin", house.password, address="a")
    assert who.roles == ("access", "editor", "auditor")


async def test_what_an_invite_grants_and_who_gave_it_is_audited(house):
    by = await someone(house)
    await house.users.invite(
        "joe", roles=["access"], traits={"kubernetes_groups": ["dev"]}, by=by, client=house.client
    )
    (event,) = house.written(EventType.USER_INVITE)
    assert event.actor.username == "root"
    assert event.actor.session == by.id
    assert event.details["invited"] == "joe"
    assert event.details["roles"] == ["access"]
    assert event.details["traits"] == {"kubernetes_groups": ["dev"]}


async def test_without_evidence_nobody_is_invited_or_reset(house):
    by = await someone(house)
    await house.add_user("joe")
    house.full = True
    with pytest.raises(EvidenceUnavailable):
        await house.add_user("ann", password=None)
    with pytest.raises(EvidenceUnavailable):
        await house.users.reset("joe", by=by, client=house.client)
    assert await house.store.get("user", "ann") is None
    assert await house.store.all("invite") == []
    await house.local.verify("joe", house.password, address="a")


async def test_without_evidence_no_password_is_set(house):
    token = await house.add_user("joe", password=None)
    house.full = True
    with pytest.raises(EvidenceUnavailable):
        await house.users.accept(token, house.password, house.client)
    assert await house.store.all("password") == []


async def test_no_secret_is_in_the_audit_log(house):
    token = await house.add_user("joe")
    with pytest.raises(NotFound):
        await house.users.accept(token, "another password here", house.client)
    assert len(house.written(EventType.USER_PASSWORD)) == 2
    text = repr(house.events)
    for secret in (token, house.password, "another password here"):
        assert secret not in text


def local(name):
    return Identity(user=name, connector="local", subject=name, roles=("access",))


async def someone(house):
    session, _ = await house.sessions.start(
        Identity(user="root", connector="corp", subject="1", roles=("editor",)), ttl_seconds=600
    )
    return session
