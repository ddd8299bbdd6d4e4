"""Sessions live in memory, survive a restart, and end at once."""

import pytest

from plane.identity.session import Identity
from plane.identity.sessions import Sessions

ALICE = Identity(
    user="alice",
    connector="okta",
    subject="00u1",
    traits={"groups": ("dev", "ops")},
    roles=("access",),
)


@pytest.fixture
def sessions(store, hands):
    return Sessions(store, hands.clock)


async def test_a_started_session_is_found_by_id_and_by_token(sessions, hands):
    session, token = await sessions.start(ALICE, ttl_seconds=60)
    assert sessions.by_id(session.id) == session
    assert sessions.by_token(token) == session
    assert session.expires == hands.seconds + 60
    assert session.person.traits == {"groups": ("dev", "ops")}


async def test_the_token_is_nowhere_in_the_store(sessions, store):
    """A stolen database opens no session."""
    _, token = await sessions.start(ALICE, ttl_seconds=60)
    documents = await store.all("session")
    assert len(documents) == 1
    assert token not in repr(documents)
    assert token not in repr(vars(sessions))


async def test_a_session_id_is_no_token(sessions):
    """Ids are in certificates and audit lines, so they must open nothing."""
    session, _ = await sessions.start(ALICE, ttl_seconds=60)
    assert sessions.by_token(session.id) is None


async def test_a_restart_keeps_sessions(sessions, store, hands):
    session, token = await sessions.start(ALICE, ttl_seconds=60)
    again = Sessions(store, hands.clock)
    await again.load()
    assert again.by_token(token) == session


async def test_a_restart_does_not_revive_the_ended_and_the_expired(sessions, store, hands):
    ended, _ = await sessions.start(ALICE, ttl_seconds=600)
    expired, _ = await sessions.start(ALICE, ttl_seconds=60)
    await sessions.end(ended.id)
    hands.advance(61)
    again = Sessions(store, hands.clock)
    await again.load()
    assert again.all() == []
    assert again.by_id(expired.id) is None


async def test_an_expired_session_is_gone_before_the_sweep(sessions, hands):
    session, token = await sessions.start(ALICE, ttl_seconds=60)
    hands.advance(60)
    assert sessions.by_id(session.id) is None
    assert sessions.by_token(token) is None


async def test_the_sweep_tells_live_streams(sessions, hands):
    heard = []
    sessions.on_end(heard.append)
    session, _ = await sessions.start(ALICE, ttl_seconds=60)
    assert await sessions.sweep() == 0
    hands.advance(60)
    assert await sessions.sweep() == 1
    assert heard == [session.id]


async def test_an_ended_session_is_told_once(sessions):
    heard = []
    sessions.on_end(heard.append)
    session, token = await sessions.start(ALICE, ttl_seconds=60)
    assert await sessions.end(session.id)
    assert not await sessions.end(session.id)
    assert heard == [session.id]
    assert sessions.by_token(token) is None


async def test_one_failing_listener_does_not_keep_the_others_open(sessions, caplog):
    heard = []

    def broken(session_id):
        raise RuntimeError(session_id)

    sessions.on_end(broken)
    sessions.on_end(heard.append)
    session, _ = await sessions.start(ALICE, ttl_seconds=60)
    await sessions.end(session.id)
    assert heard == [session.id]
    assert "a listener for ended sessions failed" in caplog.text


async def test_a_broken_disk_cannot_keep_a_revoked_session_alive(sessions, store, monkeypatch):
    session, token = await sessions.start(ALICE, ttl_seconds=60)

    async def broken(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(store, "delete", broken)
    with pytest.raises(OSError, match="disk full"):
        await sessions.end(session.id)
    assert sessions.by_token(token) is None


async def test_ending_a_users_sessions_spares_a_namesake_of_another_connector(sessions):
    mine, _ = await sessions.start(ALICE, ttl_seconds=60)
    other, _ = await sessions.start(
        Identity(user="alice", connector="local", subject="alice"), ttl_seconds=60
    )
    assert await sessions.end_for_user("alice", connector="okta") == 1
    assert sessions.by_id(mine.id) is None
    assert sessions.by_id(other.id) is not None
    assert await sessions.end_for_user("alice") == 1
    assert sessions.all() == []


async def test_new_roles_act_at_once_and_survive_a_restart(sessions, store, hands):
    session, token = await sessions.start(ALICE, ttl_seconds=60)
    await sessions.refresh("alice", connector="okta", roles=["auditor"], traits={"a": ("b",)})
    assert sessions.by_id(session.id).roles == ("auditor",)
    again = Sessions(store, hands.clock)
    await again.load()
    assert again.by_token(token).traits == {"a": ("b",)}


async def test_a_refresh_does_not_revive_a_session_that_ended_meanwhile(sessions, store, hands):
    session, _ = await sessions.start(ALICE, ttl_seconds=60)
    await sessions.end(session.id)
    await sessions.refresh("alice", connector="okta", roles=["auditor"], traits={})
    assert await store.all("session") == []


async def test_its_repr_shows_no_secret(sessions):
    _, token = await sessions.start(ALICE, ttl_seconds=60)
    assert repr(sessions) == "<Sessions live=1>"
    assert token not in repr(sessions)
