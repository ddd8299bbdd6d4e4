"""/v1/session, /v1/logout, /v1/certificates: the caller's own session."""

from quart import Blueprint, Response, request

from plane.api import body
from plane.api.access import CallerOf
from plane.api.caller import client_of
from plane.api.login import shown
from plane.clock import rfc3339
from plane.identity.credentials import Credentials


def blueprint(credentials: Credentials, caller: CallerOf) -> Blueprint:
    """The routes."""
    routes = Blueprint("session", __name__)

    @routes.get("/v1/session")
    async def session() -> Response:
        return body.answer(shown(await caller(request)))

    @routes.post("/v1/logout")
    async def logout() -> Response:
        await credentials.end(await caller(request), client_of(request))
        return body.answer({})

    @routes.post("/v1/certificates")
    async def certificates() -> Response:
        found = await caller(request)
        given = await body.fields()
        pem = credentials.certificate(found, csr=body.text(given, "csr"), client=client_of(request))
        return body.answer({"certificate": pem, "expires": rfc3339(found.expires)})

    return routes
