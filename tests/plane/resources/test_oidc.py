import pytest
import yaml

from plane.errors import Invalid

SPEC = {"issuer_url": "https://id.example.com", "client_id": "plane"}
MAPPING = {"claim": "groups", "value": "dev", "roles": ["access"]}


def document(spec):
    metadata = {"name": "okta"}
    return yaml.safe_dump({"kind": "oidc", "version": "v3", "metadata": metadata, "spec": spec})


async def refused(resources, spec):
    with pytest.raises(Invalid) as caught:
        await resources.apply(document(SPEC | spec), mode="create")
    return [each.path for each in caught.value.problems]


async def test_teleports_document_is_accepted(resources):
    spec = SPEC | {
        "client_secret": "s3cret",
        "redirect_url": ["https://plane.example.com/v1/connectors/okta/callback"],
        "scope": ["openid", "email"],
        "prompt": "login",
        "display": "Okta",
        "max_age": "3600s",
        "acr_values": "mfa",
        "username_claim": "email",
        "allow_unverified_email": False,
        "provider": "okta",
        "google_admin_email": "",
        "claims_to_roles": [MAPPING, {"claim": "t", "value": "^team-(.*)$", "roles": ["t-$1"]}],
    }
    (result,) = await resources.apply(document(spec), mode="create")
    assert result.warnings == (
        "spec.provider does nothing here",
        "spec.google_admin_email does nothing here",
        "role 'access' does not exist (yet)",
    )
    assert (await resources.reveal("oidc", "okta")).spec["client_secret"] == "s3cret"


async def test_a_connector_that_gives_nobody_a_role_is_a_warning(resources):
    (result,) = await resources.apply(document(SPEC), mode="create")
    assert "nobody gets a role" in result.warnings[0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000", "http://localhost:9000/dex", "https://id.example.com/realm/x"]
)
async def test_issuers_that_are_safe(resources, url):
    await resources.apply(document(SPEC | {"issuer_url": url}), mode="create")


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com",
        "http://127.0.0.1.example.com",
        "ftp://x",
        "id.example.com",
        "https://",
        "https://u:p@id.example.com",
        "https://id.example.com?x=1",
        "https://id.example.com#x",
        "https://[::1",
        "",
        5,
    ],
)
async def test_an_issuer_that_could_be_listened_to_or_mistaken_is_refused(resources, url):
    assert await refused(resources, {"issuer_url": url}) == ["spec.issuer_url"]


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"client_id": ""}, "spec.client_id"),
        ({"clientsecret": "x"}, "spec.clientsecret"),
        ({"redirect_url": "http://plane.example.com/x"}, "spec.redirect_url"),
        ({"max_age": "soon"}, "spec.max_age"),
        ({"max_age": True}, "spec.max_age"),
        ({"scope": [1]}, "spec.scope[0]"),
        ({"pkce_mode": "disabled"}, "spec.pkce_mode"),
        ({"allow_unverified_email": "maybe"}, "spec.allow_unverified_email"),
        ({"claims_to_roles": {}}, "spec.claims_to_roles"),
        ({"claims_to_roles": [MAPPING | {"roles": []}]}, "spec.claims_to_roles[0].roles"),
        ({"claims_to_roles": [MAPPING | {"claim": ""}]}, "spec.claims_to_roles[0].claim"),
        ({"claims_to_roles": [MAPPING | {"valu": "x"}]}, "spec.claims_to_roles[0].valu"),
        ({"claims_to_roles": [MAPPING, MAPPING | {"value": "^(x$"}]}, "spec.claims_to_roles[1]"),
        ({"claims_to_roles": [MAPPING | {"value": "^x"}]}, "spec.claims_to_roles[0]"),
        ({"claims_to_roles": [MAPPING | {"roles": ["a-$2"]}]}, "spec.claims_to_roles[0]"),
    ],
)
async def test_what_is_wrong_is_told_by_its_path(resources, spec, path):
    assert await refused(resources, spec) == [path]


async def test_what_plane_accepts_the_connectors_room_can_build(resources):
    from connectors.registry import build

    await resources.apply(document(SPEC | {"claims_to_roles": [MAPPING]}), mode="create")
    spec = (await resources.reveal("oidc", "okta")).spec
    assert build("oidc", "okta", spec).display == "okta"
