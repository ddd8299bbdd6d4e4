import json

import pytest
from quart import Quart

from plane.api import errors
from plane.errors import Invalid, PlaneError, Problem, TooManyRequests


@pytest.fixture
def app():
    app = Quart("test")
    errors.install(app)

    @app.get("/raise/<what>")
    async def fail(what):
        known = {
            "slow": TooManyRequests("slow down"),
            "detail": PlaneError("it failed", detail="password=hunter2"),
            "bug": ValueError("secret inside"),
            "place": Invalid("no", problems=(Problem(message="bad"),)),
        }
        raise known[what]

    return app


async def shaped(response, code, reason):
    """The one shape: kubectl and our CLI read nothing else."""
    body = json.loads(await response.get_data(as_text=True))
    assert response.status_code == code
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert (body["kind"], body["apiVersion"], body["status"]) == ("Status", "v1", "Failure")
    assert (body["code"], body["reason"]) == (code, reason)
    assert body["message"]
    return body


async def test_an_unknown_address_is_404(app):
    await shaped(await app.test_client().get("/nothing"), 404, "NotFound")


async def test_a_wrong_method_is_405_and_says_which_are_right(app):
    response = await app.test_client().post("/raise/bug")
    await shaped(response, 405, "MethodNotAllowed")
    assert "GET" in response.headers["Allow"]


async def test_an_error_keeps_its_detail_for_the_log(app, caplog):
    body = await shaped(await app.test_client().get("/raise/detail"), 500, "InternalError")
    assert "hunter2" not in json.dumps(body)
    assert "hunter2" in caplog.text


async def test_a_bug_is_500_without_its_text(app, caplog):
    body = await shaped(await app.test_client().get("/raise/bug"), 500, "InternalError")
    assert "secret inside" not in json.dumps(body)
    assert "secret inside" in caplog.text


async def test_too_many_requests_says_when_to_come_back(app):
    response = await app.test_client().get("/raise/slow")
    await shaped(response, 429, "TooManyRequests")
    assert response.headers["Retry-After"] == "1"


async def test_a_problem_without_a_place_has_only_its_message(app):
    body = await shaped(await app.test_client().get("/raise/place"), 422, "Invalid")
    assert body["details"]["causes"] == [{"reason": "FieldValueInvalid", "message": "bad"}]
