"""The browser's pages: log in, set a password by an invite, copy a code. They need no JavaScript.

A login is bound to the browser that began it by a cookie; forms of other sites are turned away by
that cookie's SameSite and by the Origin header.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from quart import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from plane.api.caller import client_of
from plane.errors import BadRequest, Forbidden, PlaneError
from plane.identity.login import Finished, Login
from plane.identity.users import LocalUsers

_R = TypeVar("_R", Response, BaseResponse)
_COOKIE = "__Host-plane-login"
_COOKIE_SECONDS = 600
_MIN_PASSWORD = 12


def blueprint(login: Login, users: LocalUsers, *, url: str) -> Blueprint:
    """The pages' routes."""
    routes = Blueprint(
        "pages", __name__, template_folder="templates", static_folder="static",
        static_url_path="/static",
    )  # fmt: skip
    routes.before_request(_same_origin_of(url))
    _login_routes(routes, login)
    _provider_routes(routes, login)
    _invite_routes(routes, users)

    @routes.get("/")
    async def front() -> Response:
        return await _page("front.html", url=url)

    @routes.errorhandler(PlaneError)
    async def refused(error: PlaneError) -> Response:
        page = await _page("error.html", message=error.message)
        page.status_code = error.status
        return page

    return routes


def _login_routes(routes: Blueprint, login: Login) -> None:
    @routes.get("/v1/login/authorize")
    async def authorize() -> BaseResponse | Response:
        browser = request.cookies.get(_COOKIE) or secrets.token_urlsafe(32)
        found = login.authorize(request.args, browser=browser, client=client_of(request))
        wanted = request.args.get("connector", "")
        choices = login.choices()
        if not wanted and len(choices) == 1:
            wanted = choices[0].name
        target = (
            await login.begin(found, wanted, browser=browser, client=client_of(request))
            if wanted
            else f"/v1/login/choose?login={found}"
        )
        response = redirect(target, 303)
        response.set_cookie(
            _COOKIE, browser, max_age=_COOKIE_SECONDS, secure=True, httponly=True,
            samesite="Lax", path="/",
        )  # fmt: skip
        return _guarded(response)

    @routes.get("/v1/login/choose")
    async def choose() -> Response:
        found = request.args.get("login", "")
        login.asked(found, browser=_browser())
        return await _page("choose.html", login=found, choices=login.choices())

    @routes.post("/v1/login/choose")
    async def chosen() -> BaseResponse:
        form = await request.form
        target = await login.begin(
            form.get("login", ""),
            form.get("connector", ""),
            browser=_browser(),
            client=client_of(request),
        )
        return _guarded(redirect(target, 303))

    @routes.get("/v1/login/local")
    async def form() -> Response:
        found = request.args.get("login", "")
        asked = login.asked(found, browser=_browser())
        return await _page("password.html", form_action=asked.form_action, login=found)

    @routes.post("/v1/login/local")
    async def password() -> BaseResponse | Response:
        form = await request.form
        found, user = form.get("login", ""), form.get("user", "")
        asked = login.asked(found, browser=_browser())
        try:
            finished = await login.password(
                found, user, form.get("password", ""), browser=_browser(),
                client=client_of(request),
            )  # fmt: skip
        except PlaneError as error:
            page = await _page(
                "password.html", form_action=asked.form_action, login=found, user=user,
                message=error.message,
            )  # fmt: skip
            page.status_code = error.status
            return page
        return await _finished(finished)


def _provider_routes(routes: Blueprint, login: Login) -> None:
    @routes.get("/v1/connectors/<name>/callback")
    async def callback(name: str) -> BaseResponse | Response:
        finished = await login.complete(
            name, request.args, browser=_browser(), client=client_of(request)
        )
        return await _finished(finished)


def _invite_routes(routes: Blueprint, users: LocalUsers) -> None:
    @routes.get("/invite/<token>")
    async def invite(token: str) -> Response:
        return await _page("invite.html", user=await users.invited(token), least=_MIN_PASSWORD)

    @routes.post("/invite/<token>")
    async def accept(token: str) -> Response:
        form = await request.form
        first, second = form.get("password", ""), form.get("again", "")
        user = await users.invited(token)
        try:
            if first != second:
                raise BadRequest("The two passwords differ.")
            user = await users.accept(token, first, client_of(request))
        except BadRequest as error:
            page = await _page("invite.html", user=user, least=_MIN_PASSWORD, message=error.message)
            page.status_code = 400
            return page
        return await _page("done.html", title="Your password is set", user=user)


async def _finished(finished: Finished) -> BaseResponse | Response:
    if finished.url:
        return _guarded(redirect(finished.url, 303))
    return await _page("code.html", user=finished.user, code=finished.code)


def _browser() -> str:
    return request.cookies.get(_COOKIE, "")


def _same_origin_of(url: str) -> Callable[[], Awaitable[None]]:
    own = urlsplit(url)

    async def check() -> None:
        if request.method == "POST":
            origin = request.headers.get("Origin")
            if origin not in (None, "null", f"{own.scheme}://{own.netloc}") and (
                urlsplit(origin).netloc != request.host
            ):
                raise Forbidden("This form was sent from another site.")

    return check


async def _page(template: str, *, form_action: str = "", **values: object) -> Response:
    html = await render_template(template, **values)
    return _guarded(Response(html, content_type="text/html; charset=utf-8"), form_action)


def _guarded(response: _R, form_action: str = "") -> _R:
    """Headers that keep a page to itself (CSP 3, no script at all)."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {form_action}".rstrip()
    )
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
