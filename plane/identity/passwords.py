"""Passwords as Argon2id hashes (RFC 9106), checked with the same work whoever asks.

A check takes 64 MiB and some 50 ms of a core, so only a few run at once and few may wait.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from plane.errors import BadRequest, TooManyRequests

SHORTEST = 12
LONGEST = 256
_AT_ONCE = 2
_WAITING = 32
_T = TypeVar("_T")


class Passwords:
    """Hash and verify off the event loop; a hasher with small parameters speeds tests up."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        # What an unknown user's password is compared with: same parameters, same work.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """The hash to keep; BadRequest when the password is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise BadRequest(f"A password has {SHORTEST} to {LONGEST} characters.")
        return await self._run(self._hasher.hash, _normal(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; `stored` None (nobody, or no password yet) costs as much."""
        # A longer one is nobody's, but takes as long as any.
        candidate = _normal(password[:LONGEST])
        fits = await self._run(self._fits, stored or self._nobody, candidate)
        return fits and stored is not None and len(password) <= LONGEST

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., _T], *arguments: str) -> _T:
        if self._waiting >= _WAITING:
            raise TooManyRequests("Many people are logging in; try again in a moment.")
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(function, *arguments)
        finally:
            self._waiting -= 1


def _normal(password: str) -> str:
    # The same letters typed on another keyboard may be other code points (NIST SP 800-63B 5.1.1).
    return unicodedata.normalize("NFKC", password)
