from dataclasses import dataclass, field

import pytest

from plane.clock import Clock
from plane.store.memory import MemoryStore


@dataclass
class Hands:
    """A clock whose hands the test moves."""

    seconds: float = 1_800_000_000.0
    clock: Clock = field(init=False)

    def __post_init__(self):
        self.clock = Clock(now=lambda: self.seconds, monotonic=lambda: self.seconds)

    def advance(self, seconds):
        self.seconds += seconds


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
async def store(hands):
    store = MemoryStore(clock=hands.clock)
    yield store
    await store.close()
