import pytest
from loopback.gate import Gate


@pytest.fixture
async def gate(tmp_path):
    async with Gate(tmp_path).open() as gate:
        yield gate
