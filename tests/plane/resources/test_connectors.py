import asyncio

from connectors.registry import build
from plane.resources.connectors import LiveConnectors

OIDC = """\
kind: oidc
version: v3
metadata: {name: okta}
spec: {issuer_url: "https://id.example.com", client_id: plane, client_secret: s3cret}
"""


async def test_connectors_come_with_their_secrets_open_but_do_not_show_them(store, resources):
    connectors = LiveConnectors(store, resources)
    await connectors.start()
    assert (connectors.all(), connectors.get("okta")) == ([], None)
    heard = []
    connectors.on_change(heard.append)
    await resources.apply(OIDC, mode="create")
    await asyncio.sleep(0)
    (okta,) = connectors.all()
    assert (okta.kind, okta.name, okta.display) == ("oidc", "okta", "okta")
    assert okta.spec["client_secret"] == "s3cret"
    assert "s3cret" not in repr(okta)
    assert build(okta.kind, okta.name, okta.spec).name == "okta"
    await resources.delete("oidc", "okta")
    await asyncio.sleep(0)
    assert connectors.get("okta") is None
    assert heard == ["okta", "okta"]
    await connectors.close()
