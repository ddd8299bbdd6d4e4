"""A change of a user acts on the sessions that live."""

import asyncio

import pytest

from plane.identity.session import Identity
from plane.store.base import Write
from plane.tasks import cancel, spawn


@pytest.fixture
async def following(house):
    task = spawn(house.changes.follow(), name="changes")
    await asyncio.sleep(0)
    yield
    await cancel(task)


async def eventually(check):
    async with asyncio.timeout(2):
        while not check():
            await asyncio.sleep(0.001)


async def session_of(house, name="joe", connector="local"):
    who = Identity(user=name, connector=connector, subject=name, roles=("access",))
    return (await house.sessions.start(who, ttl_seconds=600))[0]


def document(**spec):
    return {"kind": "user", "version": "v2", "metadata": {"name": "joe"}, "spec": spec}


async def test_new_roles_reach_the_live_session(house, following):
    await house.add_user("joe")
    session = await session_of(house)
    body = document(roles=["auditor"], traits={"team": ["blue"]})
    await house.store.put(Write(kind="user", name="joe", body=body))
    await eventually(lambda: house.sessions.by_id(session.id).roles == ("auditor",))
    assert house.sessions.by_id(session.id).traits == {"team": ("blue",)}


async def test_a_removed_users_sessions_end_and_nothing_is_left_behind(house, following):
    await house.add_user("joe")
    ended = []
    house.sessions.on_end(ended.append)
    session, other = await session_of(house), await session_of(house, connector="corp")
    await house.resources.delete("user", "joe")
    await eventually(lambda: ended)
    assert ended == [session.id]
    assert house.sessions.by_id(other.id) is not None
    await eventually(lambda: house.store._shelf.get("password", "joe", now=0) is None)


async def test_a_user_who_expires_is_out(house, following, hands):
    expires = hands.seconds + 60
    body = document(roles=["access"])
    await house.store.put(Write(kind="user", name="joe", body=body, expires=expires))
    session = await session_of(house)
    hands.advance(60)
    await house.store.sweep()
    await eventually(lambda: house.sessions.by_id(session.id) is None)


async def test_a_user_whom_nobody_can_understand_is_out(house, following):
    await house.add_user("joe")
    session = await session_of(house)
    await house.store.put(Write(kind="user", name="joe", body=document(roles=7)))
    await eventually(lambda: house.sessions.by_id(session.id) is None)


async def test_one_users_trouble_does_not_stop_the_others(house, following, monkeypatch, caplog):
    await house.add_user("joe")
    session = await session_of(house)
    refresh = house.sessions.refresh

    async def broken(user, **rest):
        if user == "ann":
            raise RuntimeError(user)
        await refresh(user, **rest)

    monkeypatch.setattr(house.sessions, "refresh", broken)
    await house.add_user("ann")
    await house.store.put(Write(kind="user", name="joe", body=document(roles=["auditor"])))
    await eventually(lambda: house.sessions.by_id(session.id).roles == ("auditor",))
    assert "'ann' could not be carried out" in caplog.text


async def test_what_changed_while_plane_was_down_is_made_up_for(house):
    await house.add_user("joe")
    await house.add_user("ann")
    gone, changed = await session_of(house), await session_of(house, "ann")
    await house.store.delete("user", "joe")
    body = {**document(roles=["auditor"]), "metadata": {"name": "ann"}}
    await house.store.put(Write(kind="user", name="ann", body=body))
    task = spawn(house.changes.follow(), name="changes")
    await eventually(lambda: house.sessions.by_id(gone.id) is None)
    await eventually(lambda: house.sessions.by_id(changed.id).roles == ("auditor",))
    assert await house.store.get("password", "joe") is None
    await cancel(task)
