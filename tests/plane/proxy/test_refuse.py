"""A refusal is read by kubectl in two ways: a Status, and text while it discovers the API."""

import json

import pytest


@pytest.mark.parametrize("path", ["/api", "/apis"])
async def test_a_refused_discovery_says_its_reason_as_text(gate, path):
    """client-go prints "unknown" for a Status in answer to discovery."""
    _, token = await gate.login()
    found = await gate.ask(path, token=token, cluster="nowhere")

    assert found.code == 403
    assert found.body.startswith(b"you have no access to a cluster")


async def test_every_other_refusal_is_a_status(gate):
    _, token = await gate.login()
    found = await gate.ask("/api/v1/pods", token=token, cluster="nowhere")

    assert json.loads(found.body)["code"] == found.code == 403
