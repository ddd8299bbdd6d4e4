"""Who calls: a token, or the certificate's session that the edge vouches for, and nothing else."""

import pytest

from plane.identity.session import Identity

ALICE = Identity(user="alice", connector="corp", subject="1", roles=("access",))


@pytest.fixture
async def alice(house):
    return await house.sessions.start(ALICE, ttl_seconds=600)


async def whoami(http, **headers):
    answer = await http.get("/v1/session", headers=headers)
    return answer.status_code, answer.json().get("user")


async def test_a_bearer_token_names_its_session(http, alice):
    assert await whoami(http, Authorization=f"Bearer {alice[1]}") == (200, "alice")
    assert await whoami(http, Authorization=f"bearer  {alice[1]}") == (200, "alice")


async def test_a_certificates_session_counts_when_the_edge_says_so(http, alice):
    headers = {**http.trusted, "Plane-Session": alice[0].id}
    assert await whoami(http, **headers) == (200, "alice")


@pytest.mark.parametrize("edge", [{}, {"Plane-Edge": ""}, {"Plane-Edge": "guess"}])
@pytest.mark.parametrize("name", ["Plane-Session", "plane-session", "Plane_Session"])
async def test_a_client_cannot_say_so_itself(http, alice, edge, name):
    """Session ids are no secrets: they are in certificates and audit lines."""
    assert await whoami(http, **{**edge, name: alice[0].id}) == (401, None)


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic {token}", "{token}", "Bearer {token}x", "Bearer {id}"],
)
async def test_what_is_no_token_of_ours_is_401(http, alice, value):
    value = value.format(token=alice[1], id=alice[0].id)
    assert (await whoami(http, Authorization=value))[0] == 401


async def test_nothing_is_401(http):
    answer = await http.get("/v1/session")
    assert answer.status_code == 401
    assert answer.json()["reason"] == "Unauthorized"


async def test_an_ended_session_is_401(http, house, alice):
    await house.sessions.end(alice[0].id)
    assert await whoami(http, Authorization=f"Bearer {alice[1]}") == (401, None)
    headers = {**http.trusted, "Plane-Session": alice[0].id}
    assert await whoami(http, **headers) == (401, None)


async def test_certificate_and_token_of_two_people_are_nobody(http, house, alice):
    bob = Identity(user="bob", connector="corp", subject="2", roles=("access",))
    _, token = await house.sessions.start(bob, ttl_seconds=600)
    headers = {**http.trusted, "Plane-Session": alice[0].id, "Authorization": f"Bearer {token}"}
    assert await whoami(http, **headers) == (401, None)
    headers["Authorization"] = "Bearer wrong"
    assert await whoami(http, **headers) == (401, None)


async def test_two_authorization_headers_of_two_people_are_nobody(http, house, alice):
    bob = Identity(user="bob", connector="corp", subject="2", roles=("access",))
    _, token = await house.sessions.start(bob, ttl_seconds=600)
    pairs = [("Authorization", f"Bearer {alice[1]}"), ("Authorization", f"Bearer {token}")]
    assert (await http.get("/v1/session", headers=pairs)).status_code == 401


async def test_a_token_in_the_query_string_is_not_read(http, alice):
    """It would be in every log between here and there."""
    for name in ("access_token", "token", "authorization"):
        answer = await http.get("/v1/session", params={name: alice[1]})
        assert answer.status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_cannot_use_the_browsers_certificate(http, house, alice, site):
    headers = {**http.trusted, "Plane-Session": alice[0].id, "Sec-Fetch-Site": site}
    answer = await http.post("/v1/logout", headers=headers)
    assert answer.status_code == 403
    assert house.sessions.by_id(alice[0].id) is not None
