"""The cookie over plain HTTP (behind a balancer's plaintext leg, or a first try)."""

import pytest
from quart import Quart, Response, request

from plane.errors import BadRequest
from plane.web.browser import Browsers


@pytest.fixture
def browsers():
    return Browsers("http://127.0.0.1:3080")


async def test_without_tls_the_cookie_has_no_host_prefix(browsers):
    """A browser refuses __Host- and Secure there, and the person could not log in at all."""
    async with Quart("test").test_request_context("/"):
        browsers.greet(request)
        cookie = browsers.mark(Response("")).headers["Set-Cookie"]
    assert cookie.startswith("plane-browser=")
    assert "Secure" not in cookie
    assert "HttpOnly" in cookie


async def test_who_was_not_greeted_gets_no_cookie(browsers):
    async with Quart("test").test_request_context("/"):
        assert "Set-Cookie" not in browsers.mark(Response("")).headers


async def test_form_tokens_do_not_outlive_the_process():
    browser = "b" * 43
    assert Browsers("https://p").form_token(browser) != Browsers("https://p").form_token(browser)


@pytest.mark.parametrize("cookie", ["", "plane-browser=short", "plane-browser=" + "ü" * 43])
async def test_a_form_from_nobody_is_refused(browsers, cookie):
    """The token of the empty browser must not be a skeleton key."""
    async with Quart("test").test_request_context("/", headers={"Cookie": cookie}):
        with pytest.raises(BadRequest):
            browsers.check_form(request, browsers.form_token(""))
