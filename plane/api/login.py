"""/v1/ping and the command line's half of a login: code or password in, credentials out."""

from collections.abc import Mapping
from dataclasses import dataclass

from quart import Blueprint, Response, request

from plane import __version__
from plane.api import body
from plane.api.caller import client_of
from plane.clock import rfc3339
from plane.errors import BadRequest, NotFound
from plane.identity.credentials import Issued, Wanted
from plane.identity.login import Login
from plane.identity.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What anybody may know of this server; `ca_pem` None: the certificate is publicly trusted."""

    name: str
    credential: str
    ca_pem: str | None


def blueprint(login: Login, about: About) -> Blueprint:
    """The routes."""
    routes = Blueprint("login", __name__)

    @routes.get("/v1/ping")
    async def ping() -> Response:
        connectors = [
            {"name": each.name, "type": each.type, "display": each.display}
            for each in login.choices()
        ]
        return body.answer(
            {
                "name": about.name,
                "version": __version__,
                "connectors": connectors,
                "credential": about.credential,
                "kubePath": "/k8s/clusters/",
            }
        )

    @routes.get("/v1/ca")
    async def ca() -> Response:
        if about.ca_pem is None:
            raise NotFound("this server's certificate is not plane's own")
        return Response(about.ca_pem, content_type="application/x-pem-file")

    @routes.post("/v1/login/token")
    async def token() -> Response:
        given = await body.fields()
        issued = await login.redeem(
            body.text(given, "code"),
            body.text(given, "code_verifier"),
            wanted=_wanted(given),
            client=client_of(request),
        )
        return body.answer(_issued(issued, about))

    @routes.post("/v1/login/password")
    async def password() -> Response:
        given = await body.fields()
        issued = await login.direct(
            body.text(given, "user"),
            body.text(given, "password"),
            wanted=_wanted(given),
            client=client_of(request),
        )
        return body.answer(_issued(issued, about))

    return routes


def shown(session: Session) -> Mapping[str, object]:
    """A session as its owner sees it."""
    return {
        "id": session.id,
        "user": session.user,
        "connector": session.connector,
        "roles": list(session.roles),
        "traits": {name: list(values) for name, values in session.traits.items()},
        "created": rfc3339(session.created),
        "expires": rfc3339(session.expires),
    }


def _wanted(given: Mapping[str, object]) -> Wanted:
    ttl = given.get("ttl_seconds")
    if ttl is not None and (isinstance(ttl, bool) or not isinstance(ttl, int) or ttl < 1):
        raise BadRequest("ttl_seconds must be a number of seconds")
    return Wanted(csr=body.text(given, "csr", needed=False), ttl_seconds=ttl)


def _issued(issued: Issued, about: About) -> Mapping[str, object]:
    session = issued.session
    return {
        "session": shown(session),
        "token": issued.token,
        "certificate": issued.certificate,
        "expires": rfc3339(session.expires),
        "user": session.user,
        "roles": list(session.roles),
        "ca": about.ca_pem,
    }
