"""Anybody may begin a login, so what waits is bounded."""

import pytest

from plane.errors import TooManyRequests
from plane.identity.pending import Pending


@pytest.fixture
def pending(hands):
    return Pending(ttl_seconds=60, limit=5, limit_per_owner=3, clock=hands.clock)


def test_a_value_is_taken_once(pending):
    key = pending.put("x", owner="a")
    assert pending.get(key) == "x"
    assert pending.take(key) == "x"
    assert pending.take(key) is None
    assert pending.get(key) is None


def test_a_value_grows_too_old(pending, hands):
    key = pending.put("x", owner="a")
    hands.advance(60)
    assert pending.get(key) is None
    assert pending.take(key) is None
    assert len(pending) == 0


def test_one_address_cannot_fill_the_memory(pending):
    for _ in range(3):
        pending.put("x", owner="a")
    with pytest.raises(TooManyRequests):
        pending.put("x", owner="a")
    pending.put("x", owner="b")


def test_many_addresses_cannot_fill_the_memory(pending):
    for owner in "abcde":
        pending.put("x", owner=owner)
    with pytest.raises(TooManyRequests):
        pending.put("x", owner="f")


def test_room_comes_back_with_time_and_with_use(pending, hands):
    keys = [pending.put("x", owner="a") for _ in range(3)]
    pending.take(keys[0])
    pending.put("x", owner="a")
    hands.advance(60)
    for _ in range(3):
        pending.put("x", owner="a")
    assert len(pending) == 3


def test_keys_cannot_be_guessed_from_one_another(pending):
    keys = {pending.put("x", owner=str(n)) for n in range(5)}
    assert len(keys) == 5
    assert all(len(key) == 43 for key in keys)


def test_its_repr_shows_no_value(pending):
    key = pending.put("secret", owner="a")
    assert repr(pending) == "<Pending 1>"
    assert key not in repr(pending)
