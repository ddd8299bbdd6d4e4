"""The browser's pages: log in, set a password by an invite, copy a code. They need no JavaScript.

Messages on the error page are plane's own; what a browser sent is escaped wherever it is shown.
"""

from quart import Blueprint, Response, redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.sansio.response import Response as AnyResponse

from plane.api.caller import client_of
from plane.errors import BadRequest, PlaneError, TooLarge
from plane.identity.login import Finished, Login
from plane.identity.passwords import SHORTEST
from plane.identity.users import LocalUsers
from plane.web.browser import Browsers
from plane.web.page import guarded, page, strict_transport

_MAX_FORM_BYTES = 16 * 1024


def blueprint(
    login: Login, users: LocalUsers, *, url: str, default_connector: str = ""
) -> Blueprint:
    """The pages' routes; `url` is the address that people use.

    `default_connector` serves who names none; without it, and with several, a page asks.
    """
    routes = Blueprint(
        "pages", __name__, template_folder="templates", static_folder="static",
        static_url_path="/static",
    )  # fmt: skip
    browsers, transport = Browsers(url), strict_transport(url)
    _login_routes(routes, login, browsers, default=default_connector)
    _provider_routes(routes, login, browsers)
    _invite_routes(routes, users, browsers, url=url)

    @routes.get("/")
    async def front() -> Response:
        return await page("front.html", url=url)

    @routes.get("/v1/login/done")
    async def done() -> Response:
        return await page("done.html", title="You are logged in", text="Go on in your terminal.")

    @routes.errorhandler(PlaneError)
    async def refused(error: PlaneError) -> Response:
        return await page("error.html", status=error.status, message=error.message)

    @routes.before_request
    async def small() -> None:
        # Browsers always say how long a form is.
        length = request.content_length
        if request.method == "POST" and (length is None or length > _MAX_FORM_BYTES):
            raise TooLarge("This form is larger than any of ours.")

    @routes.after_request
    async def mark(response: Response) -> Response:
        if transport:
            response.headers["Strict-Transport-Security"] = transport
        return browsers.mark(response)

    return routes


def _login_routes(routes: Blueprint, login: Login, browsers: Browsers, *, default: str) -> None:
    @routes.get("/v1/login/authorize")
    async def authorize() -> AnyResponse:
        params, client = _params(), client_of(request)
        browser = browsers.greet(request)
        found = login.authorize(params, browser=browser, client=client)
        names = [each.name for each in login.choices()]
        only = names[0] if len(names) == 1 else ""
        wanted = params.get("connector") or (default if default in names else only)
        if not wanted:
            return guarded(redirect(f"/v1/login/choose?login={found}", 303))
        target = await login.begin(found, wanted, browser=browser, client=client)
        return guarded(redirect(target, 303))

    @routes.get("/v1/login/choose")
    async def choose() -> AnyResponse:
        params, browser = _params(), browsers.known(request)
        found, wanted = params.get("login", ""), params.get("connector", "")
        if wanted:
            target = await login.begin(found, wanted, browser=browser, client=client_of(request))
            return guarded(redirect(target, 303))
        asked = login.asked(found, browser=browser)
        return await page(
            "choose.html", login=found, choices=login.choices(), elsewhere=asked.out_of_band
        )

    @routes.get("/v1/login/local")
    async def form() -> Response:
        found = _params().get("login", "")
        return await _password_page(login, browsers, found)

    @routes.post("/v1/login/local")
    async def password() -> AnyResponse:
        sent = await request.form
        browser = browsers.check_form(request, sent.get("token", ""))
        found, user = sent.get("login", ""), sent.get("user", "")
        login.asked(found, browser=browser)
        try:
            finished = await login.password(
                found, user, sent.get("password", ""), browser=browser, client=client_of(request)
            )
        except PlaneError as error:
            return await _password_page(login, browsers, found, user=user, error=error)
        return await _finished(finished)


async def _password_page(
    login: Login,
    browsers: Browsers,
    found: str,
    *,
    user: str = "",
    error: PlaneError | None = None,
) -> Response:
    browser = browsers.known(request)
    asked = login.asked(found, browser=browser)
    return await page(
        "password.html",
        status=error.status if error else 200,
        leads_to=asked.form_action,
        login=found,
        user=user,
        message=error.message if error else "",
        token=browsers.form_token(browser),
        elsewhere=asked.out_of_band,
    )


def _provider_routes(routes: Blueprint, login: Login, browsers: Browsers) -> None:
    @routes.get("/v1/connectors/<name>/callback")
    async def callback(name: str) -> AnyResponse:
        finished = await login.complete(
            name, _params(), browser=browsers.known(request), client=client_of(request)
        )
        return await _finished(finished)


def _invite_routes(routes: Blueprint, users: LocalUsers, browsers: Browsers, *, url: str) -> None:
    @routes.get("/invite/<token>")
    async def invite(token: str) -> Response:
        return await form(await users.invited(token))

    @routes.post("/invite/<token>")
    async def accept(token: str) -> Response:
        sent = await request.form
        user = await users.invited(token)
        try:
            browsers.check_form(request, sent.get("token", ""))
            await users.accept(token, _twice_the_same(sent), client_of(request))
        except BadRequest as error:
            return await form(user, error=error)
        return await page(
            "done.html",
            title="Your password is set",
            text=f"You are {user}. Log in from your terminal:",
            command=f"plane login --proxy {url} --user={user}",
        )

    async def form(user: str, *, error: PlaneError | None = None) -> Response:
        return await page(
            "invite.html",
            status=error.status if error else 200,
            user=user,
            least=SHORTEST,
            message=error.message if error else "",
            token=browsers.form_token(browsers.greet(request)),
        )


def _twice_the_same(sent: MultiDict[str, str]) -> str:
    if sent.get("password") != sent.get("again"):
        raise BadRequest("The two passwords differ.")
    return sent.get("password", "")


async def _finished(finished: Finished) -> AnyResponse:
    if finished.url:
        return guarded(redirect(finished.url, 303))
    return await page("code.html", user=finished.user, code=finished.code)


def _params() -> dict[str, str]:
    """The query; BadRequest when a name is there twice, for others may read the other one."""
    lists = request.args.lists()
    found = {name: values[0] for name, values in lists if len(values) == 1}
    if len(found) != len(request.args):
        raise BadRequest("A parameter of this address is there twice. Start again.")
    return found
