import sys
from pathlib import Path

import pytest

from plane.store.memory import MemoryStore

sys.path.insert(0, str(Path(__file__).parent))
import conformance


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
async def test_conformance(check):
    await conformance.run(check, lambda clock: MemoryStore(clock=clock))


async def test_repr_counts_and_shows_no_content():
    store = MemoryStore()
    await store.put(conformance.write(body={"secret": "s3cret"}))
    assert repr(store) == "<MemoryStore 1 documents, revision 1>"
    assert repr(store.watch("role")) == "<Watch role 0 waiting>"
    await store.close()
