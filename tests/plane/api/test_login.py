"""The command line's half of a login, over HTTP."""

from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509

from plane.audit.events import EventType

MINE = "m" * 43


@pytest.fixture
async def code(house, asks):
    """A code as the browser would bring it."""
    await house.add_user("joe", kubernetes_groups=["dev"])
    login = house.login.authorize(asks(), browser=MINE, client=house.client)
    finished = await house.login.password(
        login, "joe", house.password, browser=MINE, client=house.client
    )
    return parse_qs(urlsplit(finished.url).query)["code"][0]


async def test_anybody_may_ask_what_this_is(http):
    answer = (await http.get("/v1/ping")).json()
    assert answer["name"] == "plane.example.com"
    assert answer["credential"] == "certificate"
    assert answer["kubePath"] == "/k8s/clusters/"
    assert answer["connectors"] == [{"name": "local", "type": "local", "display": "Password"}]


async def test_a_code_becomes_a_session_with_its_certificate(http, house, asks, code, csr):
    body = {"code": code, "code_verifier": asks.verifier, "csr": csr}
    answer = await http.post("/v1/login/token", json=body)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    given = answer.json()
    assert given["user"] == "joe"
    assert given["roles"] == ["access"]
    assert given["session"]["traits"] == {"kubernetes_groups": ["dev"]}
    assert given["expires"] == given["session"]["expires"] == "2027-01-15T20:00:00.000Z"
    assert given["ca"] == "CA"
    certificate = x509.load_pem_x509_certificate(given["certificate"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [name.value for name in names] == [f"plane://session/{given['session']['id']}"]
    assert house.sessions.by_token(given["token"]).id == given["session"]["id"]


async def test_a_code_replayed_is_refused(http, asks, code):
    body = {"code": code, "code_verifier": asks.verifier}
    assert (await http.post("/v1/login/token", json=body)).status_code == 200
    answer = await http.post("/v1/login/token", json=body)
    assert answer.status_code == 400
    assert answer.json()["kind"] == "Status"


async def test_a_shorter_session_on_request(http, asks, code):
    body = {"code": code, "code_verifier": asks.verifier, "ttl_seconds": 600}
    given = (await http.post("/v1/login/token", json=body)).json()
    assert given["session"]["expires"] == "2027-01-15T08:10:00.000Z"


@pytest.mark.parametrize("ttl", [0, -1, "600", 1.5, True, [1]])
async def test_a_lifetime_that_is_no_number_of_seconds_is_refused(http, asks, code, ttl):
    body = {"code": code, "code_verifier": asks.verifier, "ttl_seconds": ttl}
    assert (await http.post("/v1/login/token", json=body)).status_code == 400


async def test_a_password_straight_from_the_terminal(http, house, csr):
    await house.add_user("joe")
    body = {"user": "joe", "password": house.password, "csr": csr}
    answer = await http.post("/v1/login/password", json=body, headers=http.trusted)
    assert answer.json()["user"] == "joe"
    (event,) = house.written(EventType.USER_LOGIN)
    assert event.source_ip == "192.0.2.9"


async def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(http, house):
    await house.add_user("joe")
    answers = []
    for user in ("joe", "nobody"):
        body = {"user": user, "password": "wrong password"}
        answer = await http.post("/v1/login/password", json=body)
        answers.append((answer.status_code, answer.text))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_too_many_guesses_are_429_with_retry_after(http, house):
    await house.add_user("joe")
    body = {"user": "joe", "password": "wrong password"}
    codes = [(await http.post("/v1/login/password", json=body)).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    answer = await http.post("/v1/login/password", json=body)
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("{}", "application/json"),
        ("[]", "application/json"),
        ("{", "application/json"),
        ("null", "application/json"),
        ('{"code": 1, "code_verifier": "x"}', "application/json"),
        ('{"code": "x"}', "application/json"),
        ('{"code": "x", "code_verifier": "y"}', "text/plain"),
        ("code=x&code_verifier=y", "application/x-www-form-urlencoded"),
        ('{"code": "' + "x" * 70_000 + '", "code_verifier": "y"}', "application/json"),
        ("[" * 50_000, "application/json"),
        ('{"code": "\\ud800", "code_verifier": "y"}', "application/json"),
    ],
)
async def test_a_body_that_is_not_what_it_must_be_is_400(http, content, kind):
    answer = await http.post("/v1/login/token", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert answer.json()["reason"] == "BadRequest"
