from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from plane.store.memory import MemoryStore

_spec = spec_from_file_location("store_conformance", Path(__file__).with_name("conformance.py"))
conformance = module_from_spec(_spec)
_spec.loader.exec_module(conformance)


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
async def test_conformance(check):
    await conformance.run(check, lambda clock: MemoryStore(clock=clock))


async def test_repr_counts_and_shows_no_content():
    store = MemoryStore()
    await store.put(conformance.write(body={"secret": "s3cret"}))
    assert repr(store) == "<MemoryStore 1 documents, revision 1>"
    assert repr(store.watch("role")) == "<Watch role 0 waiting>"
    await store.close()
