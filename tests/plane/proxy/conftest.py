import pytest
from loopback.gate import Gate

from plane.edge import raw


@pytest.fixture
async def gate(tmp_path, monkeypatch):
    # An upgraded connection is read on for a second after its end; the tests' client never talks.
    monkeypatch.setattr(raw, "_LINGER_SECONDS", 0.05)
    async with Gate(tmp_path).open() as gate:
        yield gate
