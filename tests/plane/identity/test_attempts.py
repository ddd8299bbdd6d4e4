"""Guessing passwords gets slow; forgetting one's own does not lock anybody out for long."""

import pytest

from plane.errors import TooManyRequests
from plane.identity.attempts import Attempts


@pytest.fixture
def attempts(hands):
    return Attempts(hands.clock)


def fail(attempts, times, *, user="joe", address="192.0.2.1"):
    for _ in range(times):
        attempts.begin(user, address)


def blocked(attempts, *, user="joe", address="192.0.2.1"):
    try:
        attempts.begin(user, address)
    except TooManyRequests as error:
        return int(error.message.split(" in ")[1].split(" ")[0])
    return 0


def test_a_few_mistakes_are_free(attempts):
    fail(attempts, 5)
    assert blocked(attempts)


def test_waits_double_up_to_a_quarter_of_an_hour(attempts, hands):
    fail(attempts, 5)
    waits = []
    for _ in range(14):
        wait = blocked(attempts)
        waits.append(wait)
        hands.advance(wait)
        fail(attempts, 1)
    assert waits[:5] == [2, 3, 5, 9, 17]
    assert max(waits) == 901


def test_guesses_in_parallel_do_not_pass_the_limit(attempts):
    """All of them begin before the first has been checked."""
    begun = 0
    for _ in range(100):
        try:
            attempts.begin("joe", "192.0.2.1")
        except TooManyRequests:
            continue
        begun += 1
    assert begun == 5


def test_success_forgets_the_persons_mistakes(attempts):
    fail(attempts, 4)
    attempts.succeeded("joe", "192.0.2.1")
    fail(attempts, 5)


def test_one_address_cannot_try_many_users(attempts):
    for number in range(50):
        attempts.begin(f"user{number}", "192.0.2.1")
    assert blocked(attempts, user="another")
    assert not blocked(attempts, user="another", address="192.0.2.2")


def test_an_attackers_own_account_does_not_wash_the_address_clean(attempts):
    for number in range(49):
        attempts.begin(f"user{number}", "192.0.2.1")
    attempts.begin("mallory", "192.0.2.1")
    attempts.succeeded("mallory", "192.0.2.1")
    attempts.begin("user50", "192.0.2.1")
    assert blocked(attempts, user="user51")


def test_many_addresses_cannot_try_one_user_at_will(attempts):
    for number in range(30):
        attempts.begin("joe", f"192.0.2.{number}")
    assert blocked(attempts, address="198.51.100.1")


def test_nobody_can_lock_another_person_out_for_long(attempts, hands):
    for number in range(500):
        try:
            attempts.begin("joe", f"2001:db8::{number}")
        except TooManyRequests:
            hands.advance(1)
    assert blocked(attempts, address="198.51.100.1") <= 61


def test_unknown_users_count_like_known_ones(attempts):
    fail(attempts, 5, user="nobody")
    assert blocked(attempts, user="nobody")


def test_a_flood_of_names_does_not_fill_the_memory(hands):
    attempts = Attempts(hands.clock, limit=100)
    for number in range(1000):
        attempts.begin(f"u{number}", f"a{number}")
    assert len(attempts._counts) <= 100


def test_a_quiet_day_forgives(attempts, hands):
    fail(attempts, 5)
    hands.advance(25 * 3600)
    fail(attempts, 5)
