"""/livez, /readyz, /healthz: is the process alive, may it get traffic; without identity."""

from collections.abc import Callable, Mapping

from quart import Blueprint, Response, request

Check = Callable[[], str]  # "" when well, else the reason in a few words


def blueprint(checks: Mapping[str, Check]) -> Blueprint:
    """The routes; `?verbose` lists each check, `?exclude=name` leaves one out."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    async def livez() -> Response:
        return _text("ok")

    @routes.get("/readyz")
    @routes.get("/healthz")
    async def readyz() -> Response:
        excluded = set(request.args.getlist("exclude"))
        found = {name: check() for name, check in checks.items() if name not in excluded}
        well = not any(found.values())
        if "verbose" not in request.args:
            return _text("ok" if well else "not ready", 200 if well else 503)
        lines = [f"[{'-' if why else '+'}]{name} {why or 'ok'}" for name, why in found.items()]
        return _text("\n".join([*lines, "ok" if well else "not ready"]), 200 if well else 503)

    return routes


def _text(text: str, code: int = 200) -> Response:
    response = Response(text + "\n", code, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    return response
