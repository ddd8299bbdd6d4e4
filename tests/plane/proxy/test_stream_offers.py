"""Offers of protocols that the client sends and then has taken away by `Connection`."""

import pytest
from loopback.corpus import load


@pytest.mark.parametrize(
    ("name", "header"),
    [("kubectl-1.33-exec", b"Sec-WebSocket-Protocol"), ("kubectl-1.33-exec", b"sec_websocket_protocol")],
)  # fmt: skip
async def test_an_offer_that_connection_takes_away_starts_no_command(gate, name, header):
    """The cluster would choose a default: the command ran, and only its answer was refused."""
    talk = load(name)
    gate.cluster.script = talk.cluster
    _, token = await gate.login()
    async with gate.connect() as client:
        head, _ = await talk.client(client, token, b"Connection: " + header)

    assert head.code == 400
    assert not gate.cluster.got
    assert not gate.casts()
