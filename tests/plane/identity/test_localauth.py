"""A local user's password, and what an outsider may learn by trying."""

import pytest

from plane.errors import Forbidden, TooManyRequests, Unauthenticated
from plane.identity.localauth import LocalAuth
from plane.identity.passwords import Passwords
from plane.store.base import Write

HERE = "192.0.2.1"


async def test_the_right_password_says_who_it_is(house):
    await house.add_user("joe", kubernetes_groups=["dev"])
    who = await house.local.verify("joe", house.password, address=HERE)
    assert (who.connector, who.subject, who.name) == ("local", "joe", "joe")
    assert who.roles == ("access",)
    assert who.traits == {"kubernetes_groups": ("dev",)}


async def test_an_unknown_user_hears_the_same_as_a_wrong_password(house):
    """User enumeration by the answer: also for people who have not set a password yet."""
    await house.add_user("joe")
    await house.add_user("new", password=None)
    answers = set()
    for user in ("joe", "nobody", "new", "", "system:admin", "joe\x00", "x" * 10_000):
        with pytest.raises(Unauthenticated) as caught:
            await house.local.verify(user, "wrong password", address=f"a-{user[:9]}")
        answers.add((caught.value.message, caught.value.detail))
    assert len(answers) == 1


async def test_an_unknown_user_costs_as_many_hashes_as_a_known_one(house, monkeypatch):
    """User enumeration by timing."""
    await house.add_user("joe")
    work = []
    fits = house.passwords._fits
    monkeypatch.setattr(house.passwords, "_fits", lambda *args: work.append(1) or fits(*args))
    costs = []
    for user in ("joe", "nobody"):
        work.clear()
        with pytest.raises(Unauthenticated):
            await house.local.verify(user, "wrong password", address=HERE)
        costs.append(len(work))
    assert costs == [1, 1]


async def test_an_unknown_user_is_locked_out_like_a_known_one(house):
    await house.add_user("joe")
    for user in ("joe", "nobody"):
        for _ in range(5):
            with pytest.raises(Unauthenticated):
                await house.local.verify(user, "wrong password", address=f"from-{user}")
        with pytest.raises(TooManyRequests):
            await house.local.verify(user, house.password, address=f"from-{user}")


async def test_a_name_in_another_case_is_another_name(house):
    await house.add_user("joe")
    with pytest.raises(Unauthenticated):
        await house.local.verify("Joe", house.password, address=HERE)


async def test_a_removed_user_does_not_come_in_with_the_password_left_behind(house):
    await house.add_user("joe")
    await house.store.delete("user", "joe")
    with pytest.raises(Unauthenticated):
        await house.local.verify("joe", house.password, address=HERE)
    with pytest.raises(Unauthenticated):
        await house.local.current("joe")


async def test_a_password_reset_while_it_is_checked_does_not_count(house, monkeypatch):
    await house.add_user("joe")
    verify = house.passwords.verify

    async def slow(stored, password):
        await house.store.delete("password", "joe")
        return await verify(stored, password)

    monkeypatch.setattr(house.passwords, "verify", slow)
    with pytest.raises(Unauthenticated):
        await house.local.verify("joe", house.password, address=HERE)


async def test_a_name_that_kubernetes_reserves_does_not_come_in(house):
    """Whoever wrote the document, Kubernetes would believe it."""
    body = {
        "kind": "user",
        "version": "v2",
        "metadata": {"name": "system:admin"},
        "spec": {"roles": ["access"]},
    }
    await house.store.put(Write(kind="user", name="system:admin", body=body))
    with pytest.raises(Forbidden):
        await house.local.current("system:admin")


async def test_a_document_that_cannot_be_understood_does_not_come_in(house):
    body = {"kind": "user", "version": "v2", "metadata": {"name": "joe"}, "spec": {"roles": 7}}
    await house.store.put(Write(kind="user", name="joe", body=body))
    with pytest.raises(Forbidden):
        await house.local.current("joe")


async def test_an_old_hash_is_renewed_at_login(house, hasher):
    await house.add_user("joe")
    before = (await house.store.get("password", "joe")).body["hash"]
    stronger = type(hasher)(time_cost=2, memory_cost=16, parallelism=1)
    local = LocalAuth(house.store, Passwords(stronger), house.attempts)
    await local.verify("joe", house.password, address=HERE)
    after = (await house.store.get("password", "joe")).body["hash"]
    assert "m=8,t=1" in before
    assert "m=16,t=2" in after
    await local.verify("joe", house.password, address=HERE)
