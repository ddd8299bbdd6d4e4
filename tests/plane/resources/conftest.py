import pytest

from plane.resources.service import Resources
from plane.store.memory import MemoryStore
from plane.store.secrets import SecretBox


@pytest.fixture
async def store():
    store = MemoryStore()
    yield store
    await store.close()


@pytest.fixture
def resources(store):
    return Resources(store, SecretBox(b"k" * 32))
