"""/v1/users: inviting local users and giving them a new start; listing is /v1/resources/user."""

from collections.abc import Mapping, Sequence

from quart import Blueprint, Response, request

from plane.api import body
from plane.api.access import Access
from plane.api.caller import client_of
from plane.clock import rfc3339
from plane.errors import BadRequest, Forbidden, Invalid
from plane.identity.users import LocalUsers


def blueprint(users: LocalUsers, access: Access, *, url: str) -> Blueprint:
    """The routes; a link begins with `url`."""
    routes = Blueprint("users", __name__)

    def linked(found: tuple[str, float]) -> Response:
        token, expires = found
        return body.answer({"invite": f"{url}/invite/{token}", "expires": rfc3339(expires)}, 201)

    @routes.post("/v1/users")
    async def add() -> Response:
        async with access.visit(request) as visit:
            visit.require("user", "create")
            given = await body.fields()
            roles = body.texts(given, "roles")
            _refuse_unknown(roles, access)
            found = await users.invite(
                body.text(given, "name"),
                roles=roles,
                traits=_traits(given),
                by=visit.person,
                client=client_of(request),
            )
            await access.sync()
        return linked(found)

    @routes.post("/v1/users/<name>/reset")
    async def reset(name: str) -> Response:
        async with access.visit(request) as visit:
            visit.require("user", "update")
            found = await users.reset(name, by=visit.person, client=client_of(request))
            await access.sync()
        return linked(found)

    return routes


def _refuse_unknown(roles: Sequence[str], access: Access) -> None:
    for role in roles:
        try:
            access.policies.roles([role])
        except Forbidden as error:
            raise Invalid(f"there is no usable role {role!r}; see: plane ctl get role") from error


def _traits(given: Mapping[str, object]) -> dict[str, list[str]]:
    traits = given.get("traits", {})
    if not isinstance(traits, dict):
        raise BadRequest("traits must be an object of lists of texts")
    return {str(name): body.texts(traits, name) for name in traits}
