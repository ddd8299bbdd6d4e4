"""One page: a template in the headers that keep it to itself (CSP level 3, no script at all)."""

from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from quart import Response, render_template
from werkzeug.sansio.response import Response as AnyResponse

_R = TypeVar("_R", bound=AnyResponse)


async def page(
    template: str, *, status: int = 200, leads_to: str = "", **values: object
) -> Response:
    """Render a template; its form may post to us and go on to `leads_to` (a CSP source)."""
    html = await render_template(template, **values)
    response = Response(html, status, content_type="text/html; charset=utf-8")
    return guarded(response, leads_to=leads_to)


def guarded(response: _R, *, leads_to: str = "") -> _R:
    """Add the headers to a page or a redirect."""
    # Browsers apply form-action to the redirect after a post too, hence `leads_to`.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {leads_to}".rstrip()
    )
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Invite links and codes are in addresses.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def strict_transport(url: str) -> str:
    """The value of Strict-Transport-Security for this address, empty where it would do harm.

    For `localhost` a browser would refuse every other plain service of the machine.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or host == "localhost" or _is_address(host):
        return ""
    return "max-age=31536000"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
