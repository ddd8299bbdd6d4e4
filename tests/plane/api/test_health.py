"""Alive and ready, without identity and without hints for strangers."""

import pytest
from quart import Quart

from plane.api import health


@pytest.fixture
def why():
    return {"audit": "", "store": ""}


@pytest.fixture
def http(why):
    app = Quart("plane.web")
    app.register_blueprint(health.blueprint({name: lambda name=name: why[name] for name in why}))
    return app.test_client()


async def said(http, path):
    found = await http.get(path)
    assert found.headers["Cache-Control"] == "no-store"
    return found.status_code, await found.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
async def test_well(http, path):
    assert await said(http, path) == (200, "ok\n")


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
async def test_not_ready_gets_no_traffic_but_is_not_killed(http, why, path):
    why["audit"] = "the audit log is not writable"
    assert await said(http, path) == (503, "not ready\n")
    assert await said(http, "/livez") == (200, "ok\n")


async def test_verbose_says_which_check_fails(http, why):
    why["audit"] = "not writable"
    text = "[-]audit not writable\n[+]store ok\nnot ready\n"
    assert await said(http, "/readyz?verbose") == (503, text)


async def test_a_check_may_be_left_out(http, why):
    why["audit"] = "not writable"
    assert await said(http, "/readyz?exclude=audit") == (200, "ok\n")
    assert await said(http, "/readyz?exclude=store") == (503, "not ready\n")
