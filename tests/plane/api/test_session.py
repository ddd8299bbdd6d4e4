"""The caller's own session over HTTP."""

import pytest

from plane.audit.events import EventType
from plane.identity.session import Identity

ALICE = Identity(
    user="alice", connector="corp", subject="1", roles=("access",), traits={"g": ("a", "b")}
)


@pytest.fixture
async def alice(house):
    session, token = await house.sessions.start(ALICE, ttl_seconds=600)
    return session, {"Authorization": f"Bearer {token}"}


async def test_a_person_sees_who_they_are(http, alice):
    session, headers = alice
    assert (await http.get("/v1/session", headers=headers)).json() == {
        "id": session.id,
        "user": "alice",
        "connector": "corp",
        "roles": ["access"],
        "traits": {"g": ["a", "b"]},
        "created": "2027-01-15T08:00:00.000Z",
        "expires": "2027-01-15T08:10:00.000Z",
    }


async def test_logout_ends_the_session_and_is_audited(http, house, alice):
    session, headers = alice
    ended = []
    house.sessions.on_end(ended.append)
    answer = await http.post("/v1/logout", headers={**headers, **http.trusted})
    assert answer.status_code == 200
    assert ended == [session.id]
    (event,) = house.written(EventType.USER_LOGOUT)
    assert (event.actor.session, event.source_ip) == (session.id, "192.0.2.9")
    assert (await http.post("/v1/logout", headers=headers)).status_code == 401


async def test_a_certificate_for_a_live_session(http, house, alice, csr):
    _, headers = alice
    answer = await http.post("/v1/certificates", json={"csr": csr}, headers=headers)
    assert answer.json()["expires"] == "2027-01-15T08:10:00.000Z"
    assert answer.json()["certificate"].startswith("-----BEGIN CERTIFICATE-----")
    assert len(house.written(EventType.CERTIFICATE_CREATE)) == 1


@pytest.mark.parametrize("body", [{}, {"csr": ""}, {"csr": "nonsense"}, {"csr": 7}])
async def test_a_certificate_for_no_key_is_refused(http, alice, body):
    _, headers = alice
    assert (await http.post("/v1/certificates", json=body, headers=headers)).status_code == 400


async def test_nobody_gets_a_certificate_without_a_session(http, csr):
    assert (await http.post("/v1/certificates", json={"csr": csr})).status_code == 401


async def test_an_expired_session_gets_no_certificate(http, alice, csr, hands):
    _, headers = alice
    hands.advance(600)
    answer = await http.post("/v1/certificates", json={"csr": csr}, headers=headers)
    assert answer.status_code == 401
