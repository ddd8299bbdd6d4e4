"""What the application holds for anybody who asks."""

import asyncio

import pytest
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge

from plane.web import application


def _request(path, length):
    async def push(*_):
        raise NotImplementedError

    return application._Request(
        "POST", "https", path, b"", Headers({"Content-Length": str(length)}), "", "1.1", {},
        max_content_length=application._MAX_BODY_BYTES, body_timeout=60, send_push_promise=push,
    )  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/v1/login/password", "/v1/login/token", "/invite/x", "/v1/users"]
)
async def test_a_large_body_before_any_login_is_not_held_in_memory(path):
    """Sixty connections held 4 MB each for a minute."""
    with pytest.raises(RequestEntityTooLarge):
        async with asyncio.timeout(5):
            await _request(path, 100_000).get_data()


async def test_documents_may_be_large():
    request = _request("/v1/resources", 100_000)
    request.body.append(b"a" * 100_000)
    request.body.set_complete()
    assert len(await request.get_data()) == 100_000
