"""Connectors follow their documents."""

import asyncio

ISSUER = "https://idp.example.com"


async def settle(house, check):
    async with asyncio.timeout(2):
        while not check():
            await asyncio.sleep(0.001)


async def test_local_users_are_there_without_any_document(house):
    assert [each.name for each in house.providers.all()] == ["local"]


async def test_a_declared_connector_is_offered_first(house):
    await house.add_connector("corp", ISSUER, display="Corp SSO")
    await settle(house, lambda: house.providers.get("corp"))
    assert [each.display for each in house.providers.all()] == ["Corp SSO", "Password"]


async def test_a_connector_is_kept_while_its_document_is(house):
    """Its cache of keys and metadata is worth keeping."""
    await house.add_connector("corp", ISSUER)
    await settle(house, lambda: house.providers.get("corp"))
    assert house.providers.get("corp") is house.providers.get("corp")


async def test_a_changed_document_makes_a_new_connector(house):
    await house.add_connector("corp", ISSUER)
    await settle(house, lambda: house.providers.get("corp"))
    before = house.providers.get("corp")
    await house.store.delete("oidc", "corp")
    await settle(house, lambda: house.providers.get("corp") is None)
    await house.add_connector("corp", ISSUER, display="New")
    await settle(house, lambda: house.providers.get("corp"))
    assert house.providers.get("corp") is not before
    assert house.providers.get("corp").display == "New"


async def test_a_declared_connector_cannot_take_the_place_of_local_users(house):
    await house.add_connector("local", ISSUER)
    await asyncio.sleep(0)
    assert house.providers.get("local").type == "local"


async def test_a_connector_that_cannot_be_built_is_not_offered(house, caplog):
    await house.add_connector("corp", ISSUER, ca_file="/nonexistent/ca.pem")
    await settle(house, lambda: house.connectors.get("corp"))
    assert [each.name for each in house.providers.all()] == ["local"]
    assert "ca_file cannot be used" in caplog.text
