"""Inviting local users over HTTP."""

import pytest

from plane.audit.events import EventType
from plane.identity.session import Identity

BODY = {"name": "joe", "roles": ["access"], "traits": {"kubernetes_groups": ["dev"]}}


@pytest.fixture
def as_role(house):
    async def headers(*roles):
        who = Identity(user="root", connector="corp", subject="1", roles=roles)
        _, token = await house.sessions.start(who, ttl_seconds=600)
        return {"Authorization": f"Bearer {token}"}

    return headers


async def test_an_invite_is_a_link_on_the_public_address(http, house, as_role):
    headers = {**await as_role("editor"), "Host": "evil.example.com"}
    answer = await http.post("/v1/users", json=BODY, headers=headers)
    assert answer.status_code == 201
    given = answer.json()
    assert given["invite"].startswith("https://plane.example.com/invite/")
    assert given["expires"] == "2027-01-16T08:00:00.000Z"
    token = given["invite"].rsplit("/", 1)[1]
    assert await house.users.invited(token) == "joe"
    stored = await house.resources.get("user", "joe")
    assert stored["spec"] == {"roles": ["access"], "traits": {"kubernetes_groups": ["dev"]}}
    (event,) = house.written(EventType.USER_INVITE)
    assert event.details["roles"] == ["access"]
    assert token not in repr(house.events)


@pytest.mark.parametrize("roles", [("access",), ("auditor",)])
async def test_without_the_right_nobody_is_invited_or_reset(http, house, as_role, roles):
    await house.add_user("ann")
    headers = await as_role(*roles)
    assert (await http.post("/v1/users", json=BODY, headers=headers)).status_code == 403
    assert (await http.post("/v1/users/ann/reset", headers=headers)).status_code == 403
    assert await house.store.get("user", "joe") is None
    await house.local.verify("ann", house.password, address="a")
    refused = [event for event in house.events if event.outcome.code == 403]
    assert len(refused) == 2


async def test_without_a_session_nobody_is_invited(http):
    assert (await http.post("/v1/users", json=BODY)).status_code == 401


async def test_a_name_that_is_taken_is_a_conflict(http, house, as_role):
    await house.add_user("joe")
    answer = await http.post("/v1/users", json=BODY, headers=await as_role("editor"))
    assert answer.status_code == 409
    assert "users reset" in answer.json()["message"]
    await house.local.verify("joe", house.password, address="a")


async def test_a_role_that_does_not_exist_is_said(http, house, as_role):
    body = {**BODY, "roles": ["access", "acess"]}
    answer = await http.post("/v1/users", json=body, headers=await as_role("editor"))
    assert answer.status_code == 422
    assert "'acess'" in answer.json()["message"]
    assert await house.store.get("user", "joe") is None


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": 7},
        {"name": "a b"},
        {"name": "../x"},
        {"roles": "access"},
        {"roles": [7]},
        {"traits": []},
        {"traits": {"g": "dev"}},
        {"traits": {"g": [7]}},
    ],
    ids=str,
)
async def test_a_request_that_is_no_user_is_refused(http, house, as_role, change):
    answer = await http.post("/v1/users", json=BODY | change, headers=await as_role("editor"))
    assert answer.status_code in (400, 422)
    assert await house.store.all("user") == []
    assert await house.store.all("invite") == []


async def test_a_reset_gives_a_new_link_and_ends_the_old_password(http, house, as_role):
    await house.add_user("joe")
    answer = await http.post("/v1/users/joe/reset", headers=await as_role("editor"))
    assert answer.status_code == 201
    assert await house.store.get("password", "joe") is None
    assert await house.users.invited(answer.json()["invite"].rsplit("/", 1)[1]) == "joe"


async def test_a_reset_of_nobody_is_404(http, as_role):
    answer = await http.post("/v1/users/nobody/reset", headers=await as_role("editor"))
    assert answer.status_code == 404
