"""Who may come in: every refusal is a 401 Status and reaches no cluster."""

import pytest
from loopback.client import request

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
async def refused(gate):
    async def ask(*lines, token=None):
        found = await gate.ask(PODS, *lines, token=token)
        assert found.code == 401
        assert found.status["reason"] == "Unauthorized"
        assert "plane login" in found.status["message"]
        assert not gate.cluster.got
        [line] = gate.lines()
        assert line["responseStatus"]["code"] == 401
        assert line["auditID"] == found.first(b"audit-id").decode()
        assert "user" not in line
        return found.status["message"]

    return ask


async def test_no_credential(refused):
    assert "no credential" in await refused()


async def test_an_unknown_token(refused):
    assert "unknown, has expired or was ended" in await refused(token="plane_x")


@pytest.mark.parametrize(
    "value",
    [b"Basic am9lOng=", b"Bearer", b"Bearer ", b"Bearer \xff\xfe", b"", b"plane_x"],
    ids=lambda value: value.decode("latin-1") or "empty",
)
async def test_an_authorization_that_is_no_bearer_token(refused, value):
    await refused(b"Authorization: " + value)


async def test_two_tokens_are_one_too_many(gate, refused):
    _, token = await gate.login()
    await refused(b"Authorization: Bearer " + token.encode(), token=token)


async def test_an_expired_session(gate, refused):
    _, token = await gate.login(ttl_seconds=-1)
    await refused(token=token)


async def test_an_ended_session(gate, refused):
    session, token = await gate.login()
    await gate.sessions.end(session.id)
    await refused(token=token)


async def test_a_bearer_subprotocol_is_no_credential(gate, refused):
    _, token = await gate.login()
    protocol = b"base64url.bearer.authorization.k8s.io." + token.encode()
    await refused(b"Sec-WebSocket-Protocol: " + protocol)


async def test_headers_of_the_edge_are_no_credential(gate, refused):
    session, _ = await gate.login()
    await refused(b"Plane-Session: " + session.id.encode(), b"X-Remote-User: joe")


async def test_the_certificate_of_an_unknown_session(gate, refused):
    gate.certificate = "gone"
    await refused()


async def test_certificate_and_token_of_two_sessions(gate, refused):
    """A stolen token on somebody's connection, or a front proxy that mixes people up."""
    mine, _ = await gate.login()
    _, other = await gate.login("ann")
    gate.certificate = mine.id
    await refused(token=other)


async def test_a_good_certificate_does_not_cover_for_a_bad_token(gate, refused):
    session, _ = await gate.login()
    gate.certificate = session.id
    await refused(token="plane_x")


async def test_certificate_and_token_of_one_session_agree(gate):
    session, token = await gate.login()
    gate.certificate = session.id
    assert (await gate.ask(PODS)).code == 200
    assert (await gate.ask(PODS, token=token)).code == 200


async def test_a_session_that_ends_between_two_requests_of_a_connection(gate):
    """Identity is not remembered per connection: keep-alive is no right."""
    session, _ = await gate.login()
    gate.certificate = session.id
    async with gate.connect() as client:
        assert (await client.ask(request(PODS))).code == 200
        await gate.sessions.end(session.id)
        assert (await client.ask(request(PODS))).code == 401
    assert len(gate.cluster.asked) == 1


@pytest.mark.parametrize(
    "lines",
    [
        [b"Sec-Fetch-Site: cross-site"],
        [b"Sec-Fetch-Site: same-site"],
        [b"Origin: https://evil.example"],
        [b"Origin: null"],
    ],
)
async def test_a_page_of_another_site_cannot_use_the_certificate_of_a_browser(gate, lines):
    """A WebSocket to exec and a POST without a type need no CORS preflight."""
    session, token = await gate.login()
    gate.certificate = session.id
    found = await gate.ask(PODS, *lines)

    assert found.code == 403
    assert "another site" in found.status["message"]
    assert not gate.cluster.got
    # No page can know a token: web clients that send one are not forged.
    assert (await gate.ask(PODS, *lines, token=token)).code == 200


async def test_a_client_library_that_names_our_own_origin_comes_in(gate):
    session, _ = await gate.login()
    gate.certificate = session.id
    head = request(PODS)
    host = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))
    origin = b"Origin: https://" + host.partition(b":")[2].strip()
    assert (await gate.ask(PODS, origin, b"Sec-Fetch-Site: same-origin")).code == 200
