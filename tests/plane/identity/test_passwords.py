"""Passwords cost the same work whoever asks."""

import asyncio
import threading

import pytest

from plane.errors import BadRequest, TooManyRequests
from plane.identity import passwords as module
from plane.identity.passwords import Passwords
from plane.tasks import spawn


@pytest.fixture
def passwords(hasher):
    return Passwords(hasher)


async def test_only_the_right_password_fits(passwords):
    stored = await passwords.hash("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert await passwords.verify(stored, "correct horse battery")
    assert not await passwords.verify(stored, "correct horse batterz")
    assert not await passwords.verify(stored, "")


async def test_nobody_has_no_password_not_even_the_dummys(passwords):
    assert not await passwords.verify(None, "anything at all")
    assert not await passwords.verify(None, "nobody has this password")


async def test_an_unknown_user_costs_the_same_argon2_work(passwords, monkeypatch):
    """User enumeration by timing: one verification each, over hashes of the same parameters."""
    seen = []
    fits = passwords._fits

    def spy(stored, password):
        seen.append(stored.rsplit("$", 2)[0])
        return fits(stored, password)

    monkeypatch.setattr(passwords, "_fits", spy)
    stored = await passwords.hash("correct horse battery")
    await passwords.verify(stored, "wrong password 1")
    await passwords.verify(None, "wrong password 1")
    assert len(seen) == 2
    assert seen[0] == seen[1]


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
async def test_a_short_or_endless_password_is_not_kept(passwords, password):
    with pytest.raises(BadRequest, match="12 to 256"):
        await passwords.hash(password)


async def test_a_longer_password_with_the_right_beginning_does_not_fit(passwords):
    stored = await passwords.hash("x" * 256)
    assert not await passwords.verify(stored, "x" * 257)


async def test_the_same_letters_from_another_keyboard_fit(passwords):
    stored = await passwords.hash("cafe\u0301 cafe\u0301 cafe\u0301")
    assert await passwords.verify(stored, "caf\u00e9 caf\u00e9 caf\u00e9")


async def test_a_broken_hash_fits_nothing(passwords):
    assert not await passwords.verify("not a hash", "correct horse battery")


async def test_a_crowd_cannot_take_all_memory(passwords, monkeypatch):
    """Each check takes 64 MiB: two run, some wait, the rest is turned away."""
    release = threading.Event()
    running = []

    def slow(stored, password):
        running.append(1)
        release.wait(5)
        return True

    monkeypatch.setattr(passwords, "_fits", slow)
    monkeypatch.setattr(module, "_WAITING", 4)
    checks = [spawn(passwords.verify("h", "p"), name="check") for _ in range(6)]
    try:
        for _ in range(200):
            await asyncio.sleep(0.005)
            if len(running) == 2:
                break
        assert len(running) == 2
    finally:
        release.set()
    await asyncio.wait(checks)
    results = [check.exception() for check in checks]
    assert sum(isinstance(each, TooManyRequests) for each in results) == 2


async def test_old_parameters_are_noticed(passwords):
    stored = await passwords.hash("correct horse battery")
    assert not passwords.outdated(stored)
    assert passwords.outdated(stored.replace("m=8", "m=16"))
