"""The whole way of a login through a scripted browser, and what pages must never do."""

from urllib.parse import parse_qs, urlsplit

import pytest
from quart import Quart

from plane.audit.events import EventType
from plane.identity.native import OUT_OF_BAND
from plane.web import pages


def code_in(url):
    return parse_qs(urlsplit(url).query)["code"][0]


async def redeem(http, asks, code):
    body = {"code": code, "code_verifier": asks.verifier}
    return await http.post("/v1/login/token", json=body)


# ---- through a real provider


async def test_a_person_logs_in_through_a_real_provider(
    house, browser, http, corp, provider, authorize, asks
):
    page = await browser.open(authorize(connector="corp"))
    assert str(page.answer.url).startswith(f"{provider}/oauth2/authorize?")
    url = await browser.send(page, sub="alice")
    assert parse_qs(urlsplit(url).query)["state"] == ["cli-state"]
    given = (await redeem(http, asks, code_in(url))).json()
    assert given["user"] == "alice@corp.example"
    assert given["roles"] == ["access"]
    assert given["session"]["traits"]["groups"] == ["platform", "dev"]
    (event,) = house.written(EventType.USER_LOGIN)
    assert (event.actor.connector, event.actor.subject) == ("corp", "alice")


async def test_several_ways_to_log_in_give_a_choice(browser, corp, authorize):
    page = await browser.open(authorize())
    assert list(page.links) == ["Corp SSO", "Password"]
    page = await browser.open(page.links["Corp SSO"])
    url = await browser.send(page, sub="alice")
    assert url.startswith("http://127.0.0.1:49152/callback?code=")


async def test_a_code_to_copy_comes_with_a_warning(browser, http, corp, authorize, asks):
    page = await browser.open(authorize(redirect_uri=OUT_OF_BAND))
    assert "another machine" in page.text
    page = await browser.open(page.links["Corp SSO"])
    page = await browser.send(page, sub="alice")
    assert "wants to be you" in page.text
    code = page.text.split("terminal")[1].split()[0]
    assert (await redeem(http, asks, code)).json()["user"] == "alice@corp.example"


async def test_an_unverified_email_does_not_come_in(house, browser, corp, authorize):
    """mallory typed alice's address at the provider."""
    page = await browser.open(authorize(connector="corp"))
    page = await browser.send(page, sub="mallory")
    assert page.status == 403
    assert "not verified" in page.text
    (event,) = house.written(EventType.USER_LOGIN)
    assert event.outcome.code == 403


async def test_a_person_without_a_role_is_told_so(browser, corp, authorize):
    page = await browser.open(authorize(connector="corp"))
    page = await browser.send(page, sub="guest")
    assert page.status == 403
    assert "no role" in page.text


async def test_a_person_who_says_no_at_the_provider_is_not_in(browser, corp, authorize):
    page = await browser.open(authorize(connector="corp"))
    page = await browser.send(page, action="deny")
    assert page.status in (400, 403)
    assert page.answer.url.host == "plane.example.com"


async def test_a_provider_that_is_down_is_said(house, browser, authorize):
    await house.add_connector("down", "http://127.0.0.1:1")
    page = await browser.open(authorize(connector="down"))
    if page.status == 404:  # the connector is loaded a turn later
        page = await browser.open(authorize(connector="down"))
    assert page.status == 503
    assert "try again" in page.text


async def test_a_callback_in_another_browser_is_refused(
    house, browser, other_browser, corp, authorize
):
    """Login CSRF: the attacker sends the victim the address with their own code."""
    page = await browser.open(authorize(connector="corp"))
    answer = await browser.http.post(
        str(page.answer.url), data={"sub": "alice"}, follow_redirects=False
    )
    stolen = answer.headers["Location"]
    assert "/v1/connectors/corp/callback" in stolen
    page = await other_browser.open(stolen)
    assert page.status == 400
    assert "another browser" in page.text
    page = await browser.open(stolen)
    assert page.status == 400


async def test_a_state_reused_is_refused(browser, corp, authorize):
    page = await browser.open(authorize(connector="corp"))
    await browser.send(page, sub="alice")
    callback = next(url for url, _ in browser.trail if "/v1/connectors/corp/callback" in url)
    assert (await browser.open(callback)).status == 400


async def test_a_parameter_that_is_there_twice_is_refused(browser, corp, authorize):
    """Two readers might read two different ones."""
    page = await browser.open(authorize(connector="corp"))
    await browser.http.post(str(page.answer.url), data={"sub": "alice"})
    page = await browser.open("/v1/connectors/corp/callback?state=a&state=b&code=c")
    assert page.status == 400
    page = await browser.open(authorize() + "&redirect_uri=http://evil.example.com/callback")
    assert page.status == 400


# ---- with a password


@pytest.fixture
async def form(house, browser, authorize):
    await house.add_user("joe")
    return await browser.open(authorize(connector="local"))


async def test_a_person_logs_in_with_a_password(house, browser, http, form, asks):
    url = await browser.send(form, user="joe", password=house.password)
    assert (await redeem(http, asks, code_in(url))).json()["user"] == "joe"


async def test_the_only_way_to_log_in_is_taken_at_once(house, browser, authorize):
    await house.add_user("joe")
    page = await browser.open(authorize())
    assert set(page.fields) == {"token", "login", "user", "password"}


async def test_a_wrong_password_says_so_and_keeps_the_name_escaped(browser, form):
    page = await browser.send(form, user='"><script>alert(1)</script>', password="wrong")
    assert page.status == 401
    assert "wrong" in page.text
    assert "<script>" not in page.answer.text
    assert page.fields["user"] == '"><script>alert(1)</script>'
    assert page.fields["password"] == ""


async def test_an_unknown_user_gets_the_same_page_as_a_wrong_password(browser, form):
    pages = [await browser.send(form, user=user, password="wrong") for user in ("joe", "jim")]
    assert pages[0].answer.text.replace("joe", "jim") == pages[1].answer.text
    assert pages[0].status == pages[1].status == 401


async def test_guessing_in_the_form_is_slowed_down(browser, form):
    codes = [(await browser.send(form, user="joe", password="wrong")).status for _ in range(6)]
    assert codes == [401] * 5 + [429]


async def test_a_form_of_another_site_is_refused(house, browser, form):
    """CSRF: the cookie comes along, the token cannot."""
    for token in ("", "0" * 64, "ü"):
        page = await browser.send(form, user="joe", password=house.password, token=token)
        assert page.status == 400
        assert "too old" in page.text


async def test_a_form_of_another_browser_is_refused(house, browser, other_browser, form, authorize):
    await other_browser.open(authorize(connector="local"))
    page = await other_browser.send(form, user="joe", password=house.password)
    assert page.status == 400


async def test_a_form_without_our_cookie_is_refused(house, other_browser, form):
    page = await other_browser.send(form, user="joe", password=house.password)
    assert page.status == 400


# ---- invites


async def test_an_invited_person_sets_a_password(house, browser):
    token = await house.add_user("joe", password=None)
    page = await browser.open(f"/invite/{token}")
    assert "Welcome, joe" in page.text
    page = await browser.send(page, password=house.password, again=house.password)
    assert page.status == 200
    assert "plane login --proxy https://plane.example.com --user=joe" in page.text
    await house.local.verify("joe", house.password, address="a")


async def test_an_invite_used_twice_is_a_clear_error(house, browser):
    token = await house.add_user("joe", password=None)
    page = await browser.open(f"/invite/{token}")
    await browser.send(page, password=house.password, again=house.password)
    for again in (
        await browser.open(f"/invite/{token}"),
        await browser.send(page, password="x" * 20, again="x" * 20),
    ):
        assert again.status == 404
        assert "used already" in again.text


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [("short", "short", "12 to 256"), ("x" * 20, "y" * 20, "differ"), ("", "", "12 to 256")],
)
async def test_a_password_that_will_not_do_is_said_and_the_link_stays(
    house, browser, first, second, message
):
    token = await house.add_user("joe", password=None)
    page = await browser.open(f"/invite/{token}")
    page = await browser.send(page, password=first, again=second)
    assert page.status == 400
    assert message in page.text
    page = await browser.send(page, password=house.password, again=house.password)
    assert page.status == 200


async def test_an_invite_form_of_another_site_is_refused(house, browser):
    token = await house.add_user("joe", password=None)
    page = await browser.open(f"/invite/{token}")
    page = await browser.send(page, password="x" * 20, again="x" * 20, token="")
    assert page.status == 400
    assert await house.store.all("password") == []


# ---- pages as such


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/login/done",
        "/v1/login/authorize",
        "/v1/login/choose?login=x",
        "/v1/login/local?login=x",
        "/v1/connectors/corp/callback?state=x",
        "/invite/x",
    ],
)
async def test_every_page_is_kept_to_itself(browser, path):
    """No script, no frame, no referrer (addresses hold tokens), no cache, no other host."""
    page = await browser.open(path)
    headers = page.answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Strict-Transport-Security"]
    for tag, attrs in page.tags:
        assert tag != "script"
        assert "style" not in attrs
        assert not any(name.startswith("on") for name in attrs)
        assert not (attrs.get("href") or attrs.get("src") or "/").startswith(("http", "//"))
    assert ("link", {"rel": "stylesheet", "href": "/static/plane.css"}) in page.tags


async def test_redirects_carry_the_headers_too(browser, authorize):
    await browser.open(authorize(connector="local"))
    _, answer = browser.trail[0]
    assert answer.status_code == 303
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_form_may_lead_to_the_terminal_that_asked_and_nowhere_else(browser, form):
    policy = form.answer.headers["Content-Security-Policy"]
    assert policy.endswith("form-action 'self' http://127.0.0.1:49152")


async def test_the_cookie_is_for_this_host_over_tls_and_no_script(browser, authorize):
    await browser.open(authorize(connector="local"))
    cookie = browser.trail[0][1].headers["Set-Cookie"]
    name, *attributes = [part.strip() for part in cookie.split(";")]
    assert name.startswith("__Host-plane-browser=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert "domain" not in cookie.lower()


async def test_a_browser_keeps_its_cookie_over_several_logins(browser, authorize):
    await browser.open(authorize(connector="local"))
    first = dict(browser.http.cookies)
    await browser.open(authorize(connector="local"))
    assert dict(browser.http.cookies) == first


async def test_a_cookie_that_is_not_ours_is_replaced(browser, authorize):
    cookie = "__Host-plane-browser=short; __Host-plane-browser=" + "x" * 9000
    await browser.open(authorize(connector="local"), headers={"Cookie": cookie})
    assert "Set-Cookie" in browser.trail[0][1].headers


async def test_an_open_redirect_is_refused_on_a_page_of_ours(browser, authorize):
    page = await browser.open(authorize(redirect_uri="https://evil.example.com/callback"))
    assert page.status == 400
    assert "evil" not in page.answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/login/choose?login=<script>alert(1)</script>",
        "/v1/login/local?login=<script>alert(1)</script>",
        "/v1/connectors/<script>/callback?state=<script>&error=<script>alert(1)</script>",
        "/invite/<script>alert(1)</script>",
        "/v1/login/authorize?redirect_uri=<script>alert(1)</script>",
        "/v1/login/authorize?connector=<script>alert(1)</script>",
    ],
)
async def test_an_error_page_never_echoes_what_was_sent(browser, path):
    page = await browser.open(path)
    assert 400 <= page.status < 500
    assert "alert(1)" not in page.answer.text
    assert "<script" not in page.answer.text


async def test_a_display_name_with_html_is_shown_as_text(house, browser, corp, provider, authorize):
    name = "<img src=x onerror=alert(1)>"
    await house.add_connector("evil", provider, display=name)
    page = await browser.open(authorize())
    if name not in page.links:  # the connector is loaded a turn later
        page = await browser.open(authorize())
    assert name in page.links
    assert "<img" not in page.answer.text


async def test_a_huge_form_is_refused(browser, form):
    page = await browser.send(form, user="joe", password="x" * 100_000)
    assert page.status == 413


async def test_the_style_sheet_is_there(browser):
    page = await browser.open("/static/plane.css")
    assert page.answer.headers["Content-Type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in page.answer.text
    assert "url(" not in page.answer.text


async def test_the_host_header_does_not_get_into_a_page(browser):
    page = await browser.open("/", headers={"Host": "evil.example.com"})
    assert "evil" not in page.answer.text


@pytest.mark.parametrize(("default", "expected"), [("local", "local"), ("ghost", "choose")])
async def test_the_default_connector_serves_who_names_none(
    house, corp, authorize, default, expected
):
    quart = Quart("plane.web")
    quart.register_blueprint(
        pages.blueprint(house.login, house.users, url=house.url, default_connector=default)
    )
    answer = await quart.test_client().get(authorize())
    assert f"/v1/login/{expected}?" in answer.headers["Location"]
