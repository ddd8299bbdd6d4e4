"""An invite opens one door, once, for some hours."""

import pytest

from plane.errors import NotFound
from plane.identity.invites import Invites
from plane.tasks import spawn


@pytest.fixture
def invites(store, hands):
    return Invites(store, ttl_seconds=3600, clock=hands.clock)


async def test_a_link_names_its_user_until_it_is_used(invites):
    token, _ = await invites.create("joe")
    assert await invites.user(token) == "joe"
    assert await invites.user(token) == "joe"
    assert await invites.redeem(token) == "joe"


async def test_an_invite_used_twice_is_a_clear_error(invites):
    token, _ = await invites.create("joe")
    await invites.redeem(token)
    for ask in (invites.user, invites.redeem):
        with pytest.raises(NotFound, match="used already, or has expired"):
            await ask(token)


async def test_of_two_at_once_one_wins(invites):
    token, _ = await invites.create("joe")
    tasks = [spawn(_outcome(invites, token), name="redeem") for _ in range(5)]
    assert sorted([await task for task in tasks]) == ["gone"] * 4 + ["joe"]


async def _outcome(invites, token):
    try:
        return await invites.redeem(token)
    except NotFound:
        return "gone"


async def test_an_old_invite_is_not_good(invites, hands):
    token, expires = await invites.create("joe")
    assert expires == hands.seconds + 3600
    hands.advance(3600)
    with pytest.raises(NotFound):
        await invites.user(token)


async def test_a_new_invite_ends_the_former(invites):
    old, _ = await invites.create("joe")
    other, _ = await invites.create("ann")
    new, _ = await invites.create("joe")
    with pytest.raises(NotFound):
        await invites.user(old)
    assert await invites.user(new) == "joe"
    assert await invites.user(other) == "ann"


async def test_the_token_is_nowhere_in_the_store(invites, store):
    token, _ = await invites.create("joe")
    assert token not in repr(await store.all("invite"))


@pytest.mark.parametrize("token", ["", "x", "\ud800", "../../user"])
async def test_a_made_up_token_is_not_good(invites, token):
    with pytest.raises(NotFound):
        await invites.user(token)
