import pytest

from plane.store.memory import MemoryStore


@pytest.fixture
async def store(hands):
    store = MemoryStore(clock=hands.clock)
    yield store
    await store.close()
