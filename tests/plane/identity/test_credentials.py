"""The one place that issues: no role, no evidence or a weak key means no session."""

import pytest
from cryptography import x509

from plane.audit.events import EventType
from plane.errors import BadRequest, EvidenceUnavailable, Forbidden
from plane.identity.credentials import Wanted
from plane.identity.session import Identity


def person(*roles):
    return Identity(user="joe", connector="corp", subject="7", traits={"g": ("a",)}, roles=roles)


async def test_a_session_its_token_and_its_certificate(house, csr):
    issued = await house.credentials.issue(person("access"), Wanted(csr=csr), house.client)
    assert house.sessions.by_token(issued.token) == issued.session
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
    assert certificate.not_valid_after_utc.timestamp() == issued.session.expires
    assert issued.token not in repr(issued)


@pytest.mark.parametrize(
    ("roles", "asked", "expected"),
    [
        (("access",), None, 12 * 3600),
        (("access", "brief"), None, 600),
        (("access",), 60, 60),
        (("brief",), 10**9, 600),
    ],
)
async def test_the_shortest_of_setting_roles_and_wish_holds(house, roles, asked, expected):
    wanted = Wanted(ttl_seconds=asked)
    issued = await house.credentials.issue(person(*roles), wanted, house.client)
    assert issued.session.expires - issued.session.created == expected


async def test_nobody_without_a_role_comes_in(house):
    with pytest.raises(Forbidden, match="no role"):
        await house.credentials.issue(person(), Wanted(), house.client)
    assert house.sessions.all() == []


async def test_a_role_that_does_not_exist_lets_nobody_in(house):
    """It may have held a deny."""
    with pytest.raises(Forbidden, match="ghost"):
        await house.credentials.issue(person("access", "ghost"), Wanted(), house.client)
    assert house.sessions.all() == []


async def test_a_weak_key_leaves_no_session_behind(house):
    with pytest.raises(BadRequest):
        await house.credentials.issue(person("access"), Wanted(csr="nonsense"), house.client)
    assert house.sessions.all() == []
    assert await house.store.all("session") == []


async def test_without_evidence_there_is_no_session(house, csr):
    house.full = True
    with pytest.raises(EvidenceUnavailable):
        await house.credentials.issue(person("access"), Wanted(csr=csr), house.client)
    assert house.sessions.all() == []
    assert await house.store.all("session") == []


async def test_login_and_logout_are_audited_with_who_and_where(house):
    issued = await house.credentials.issue(person("access"), Wanted(), house.client)
    await house.credentials.end(issued.session, house.client)
    (login,) = house.written(EventType.USER_LOGIN)
    (logout,) = house.written(EventType.USER_LOGOUT)
    for event in (login, logout):
        assert (event.actor.username, event.actor.connector) == ("joe", "corp")
        assert event.actor.session == issued.session.id
        assert event.actor.traits_digest.startswith("sha256:")
        assert (event.source_ip, event.user_agent) == ("192.0.2.7", "test")
        assert event.outcome.code == 200
    assert login.details["traits"] == {"g": ["a"]}
    assert issued.token not in repr(house.events)


async def test_a_broken_audit_log_does_not_keep_a_session_alive(house):
    issued = await house.credentials.issue(person("access"), Wanted(), house.client)
    house.full = True
    with pytest.raises(EvidenceUnavailable):
        await house.credentials.end(issued.session, house.client)
    assert house.sessions.by_id(issued.session.id) is None


async def test_a_further_certificate_is_audited(house, csr):
    issued = await house.credentials.issue(person("access"), Wanted(), house.client)
    pem = house.credentials.certificate(issued.session, csr=csr, client=house.client)
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    assert len(house.written(EventType.CERTIFICATE_CREATE)) == 1


async def test_a_certificate_without_evidence_does_not_leave(house, csr):
    issued = await house.credentials.issue(person("access"), Wanted(), house.client)
    house.full = True
    with pytest.raises(EvidenceUnavailable):
        house.credentials.certificate(issued.session, csr=csr, client=house.client)
