"""Which browser this is: a cookie that only plane sets, and form tokens that only it can send.

The cookie names no session and opens nothing; a login under way works only in the browser that
began it (login CSRF, RFC 9700 4.7), and a form only from a page that we gave to that browser.
"""

import hashlib
import hmac
import re
import secrets
from typing import TypeVar

from quart import Request, g
from werkzeug.sansio.response import Response

from plane.errors import BadRequest

_R = TypeVar("_R", bound=Response)
_SECONDS = 3600
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


class Browsers:
    """Knows browsers by their cookie; `url` is the address that people use."""

    def __init__(self, url: str) -> None:
        self._secure = url.startswith("https://")
        # __Host-: a neighbouring subdomain can neither set nor replace it (RFC 6265bis 4.1.3.2).
        self._name = "__Host-plane-browser" if self._secure else "plane-browser"
        self._key = secrets.token_bytes(32)

    def known(self, request: Request) -> str:
        """The browser's id, empty when it has none of ours."""
        value = request.cookies.get(self._name, "")
        return value if _VALUE.fullmatch(value) else ""

    def greet(self, request: Request) -> str:
        """The browser's id, a new one for a new browser; `mark` its response."""
        g.browser = self.known(request) or secrets.token_urlsafe(32)
        return str(g.browser)

    def mark(self, response: _R) -> _R:
        """Set the cookie when this request was greeted."""
        if "browser" in g:
            response.set_cookie(
                self._name,
                g.browser,
                max_age=_SECONDS,
                secure=self._secure,
                httponly=True,
                # Lax and not Strict: the provider sends the browser back by a link.
                samesite="Lax",
                path="/",
            )
        return response

    def form_token(self, browser: str) -> str:
        """The hidden field of a form that this browser is shown."""
        return hmac.digest(self._key, browser.encode(), hashlib.sha256).hex()

    def check_form(self, request: Request, token: str) -> str:
        """The browser's id; BadRequest when the form was not ours, or is older than this start."""
        browser = self.known(request)
        expected = self.form_token(browser).encode()
        if not browser or not hmac.compare_digest(expected, token.encode("utf-8", "replace")):
            raise BadRequest("This form is too old or was not sent by this page. Open it again.")
        return browser
