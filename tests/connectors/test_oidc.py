"""An OpenID provider may be broken, hostile or impersonated; each test is one way of it."""

import base64
import hmac
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from connectors.discovery import Provider
from connectors.errors import ConnectorError, LoginRefused, ProviderUnavailable, SettingsInvalid
from connectors.http import Http
from connectors.matching import mapping
from connectors.oidc import OidcConnector, OidcSettings, from_spec
from connectors.registry import build

NOW = 1_800_000_000
CALLBACK = "https://plane.example.com/v1/connectors/corp/callback"


class Ticks:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def make(provider, ticks):
    def build_connector(**changes):
        roles = [{"claim": "groups", "value": "admins", "roles": ["editor"]}]
        settings = OidcSettings(
            **{
                "issuer_url": provider.url,
                "client_id": "plane",
                "client_secret": "s3cret",
                "scopes": ("groups",),
                "claims_to_roles": tuple(mapping(each, place="m") for each in roles),
                **changes,
            }
        )
        source = Provider(settings.issuer_url, Http(deadline_seconds=0.5), monotonic=ticks)
        return OidcConnector("corp", settings, provider=source, now=lambda: NOW)

    return build_connector


@pytest.fixture
def log_in(provider):
    """Begin, come back with a code, and complete; the provider puts the nonce into its token."""

    async def run(connector, **params):
        begun = await connector.begin(state="st", redirect_uri=CALLBACK)
        provider.nonce = begun.saved["nonce"]
        return await connector.complete({"code": "c0de", **params}, begun.saved)

    return run


async def test_a_person_comes_in_with_traits_and_roles(provider, make, log_in):
    provider.claims["groups"] = ["admins", "dev"]
    who = await log_in(make())
    assert (who.connector, who.subject, who.name) == ("corp", "joe", "joe@example.com")
    assert who.traits["groups"] == ("admins", "dev")
    assert who.roles == ("editor",)


async def test_the_authorization_url_carries_state_nonce_and_an_s256_challenge(provider, make):
    begun = await make(prompt="login", max_age_seconds=60).begin(state="st", redirect_uri=CALLBACK)
    query = parse_qs(urlsplit(begun.url).query)
    assert begun.url.startswith(f"{provider.url}/authorize?")
    assert query["state"] == ["st"]
    assert query["nonce"] == [begun.saved["nonce"]]
    assert query["code_challenge_method"] == ["S256"]
    assert query["scope"] == ["openid groups"]
    assert query["redirect_uri"] == [CALLBACK]
    assert (query["prompt"], query["max_age"]) == (["login"], ["60"])
    assert begun.saved["verifier"] not in begun.url
    assert begun.saved["verifier"] not in repr(begun)


async def test_two_logins_share_no_secret(make):
    connector = make()
    first = await connector.begin(state="a", redirect_uri=CALLBACK)
    second = await connector.begin(state="b", redirect_uri=CALLBACK)
    assert not set(first.saved.values()) & set(second.saved.values()) - {CALLBACK}


async def test_the_code_is_redeemed_with_verifier_and_client_secret(provider, make, log_in):
    await log_in(make())
    number = provider.asked.index("/token")
    form = provider.forms[number]
    assert form["code"] == ["c0de"]
    assert form["redirect_uri"] == [CALLBACK]
    assert len(form["code_verifier"][0]) >= 43
    basic = base64.b64encode(b"plane:s3cret").decode()
    assert provider.sent[number]["Authorization"] == f"Basic {basic}"


async def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(provider, make, log_in):
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    await log_in(make())
    assert provider.forms[provider.asked.index("/token")]["client_secret"] == ["s3cret"]


async def test_userinfo_adds_but_never_overrides_the_signed_claims(provider, make, log_in):
    provider.claims["groups"] = ["dev"]
    provider.userinfo = {"groups": ["admins"], "team": "blue"}
    who = await log_in(make())
    assert who.traits["groups"] == ("dev",)
    assert who.traits["team"] == ("blue",)
    assert who.roles == ()


async def test_userinfo_about_somebody_else_is_refused(provider, make, log_in):
    """Token substitution, OpenID Connect Core 5.3.2."""
    provider.userinfo = {"sub": "mallory"}
    with pytest.raises(LoginRefused, match="contradict"):
        await log_in(make())


# ---- tokens that must not be believed


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another-login"},
        {"aud": "another-client"},
        {"aud": ["plane", "another-client"]},
        {"aud": ["plane", "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"iss": "https://evil.example.com"},
        {"exp": NOW - 61},
        {"exp": None},
        {"iat": None},
        {"iat": NOW + 120},
        {"nbf": NOW + 120},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"aud": None},
        {"iss": None},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"exp": "soon"},
        {"aud": {"plane": 1}},
    ],
    ids=lambda claims: ",".join(f"{k}={v}" for k, v in claims.items()),
)
async def test_a_token_with_a_wrong_claim_is_refused(provider, make, log_in, claims):
    provider.claims = dict(claims)
    with pytest.raises(LoginRefused, match="could not be verified"):
        await log_in(make())


async def test_a_missing_nonce_is_refused(provider, make, log_in):
    provider.claims = {"nonce": None}
    with pytest.raises(LoginRefused, match="could not be verified"):
        await log_in(make())


async def test_a_clock_that_is_a_minute_off_is_forgiven(provider, make, log_in):
    provider.claims = {"exp": NOW - 30, "iat": NOW + 30}
    assert (await log_in(make())).subject == "joe"


async def test_several_audiences_are_fine_when_azp_names_us(provider, make, log_in):
    provider.claims = {"aud": ["plane", "api"], "azp": "plane"}
    assert (await log_in(make())).subject == "joe"


async def test_an_authentication_older_than_max_age_is_refused(provider, make, log_in):
    provider.claims = {"auth_time": NOW - 200}
    with pytest.raises(LoginRefused):
        await log_in(make(max_age_seconds=100))
    provider.claims = {"auth_time": NOW - 120}
    assert (await log_in(make(max_age_seconds=100))).subject == "joe"


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_alg_none_is_refused(provider, make, log_in):
    provider.sign = lambda: f"{part({'alg': 'none'})}.{part(provider.full_claims())}."
    with pytest.raises(LoginRefused):
        await log_in(make())


async def test_alg_none_with_a_known_key_id_is_refused(provider, make, log_in):
    provider.sign = lambda: f"{part({'alg': 'None', 'kid': 'one'})}.{part(provider.full_claims())}."
    with pytest.raises(LoginRefused):
        await log_in(make())


async def test_hs256_keyed_with_the_public_key_is_refused(provider, make, log_in):
    """Algorithm confusion: everybody knows the public key."""

    def sign():
        signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(provider.full_claims())}"
        digest = hmac.digest(provider.key.as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    provider.sign = sign
    with pytest.raises(LoginRefused):
        await log_in(make())


async def test_hs256_with_a_published_symmetric_key_is_refused(provider, make, log_in):
    secret = OctKey.generate_key(256, {"kid": "sym"})
    provider.answers["/jwks"] = {"keys": [secret.as_dict(private=True)]}
    provider.sign = lambda: jwt.encode(
        {"alg": "HS256", "kid": "sym"}, provider.full_claims(), secret, algorithms=["HS256"]
    )
    with pytest.raises(LoginRefused):
        await log_in(make())


async def test_a_foreign_signature_is_refused(provider, make, log_in):
    provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    with pytest.raises(LoginRefused):
        await log_in(make())


async def test_a_key_embedded_in_the_token_is_not_used(provider, make, log_in):
    """`jwk` in the header would let everybody sign."""
    own = RSAKey.generate_key(2048)
    provider.header = {"jwk": own.as_dict(private=False), "kid": None}
    provider.key = own
    with pytest.raises(LoginRefused):
        await log_in(make())


async def test_a_short_rsa_key_is_not_used(provider, make, log_in, recwarn):
    short = RSAKey.generate_key(2048, {"kid": "short"})
    weak = {**short.as_dict(private=False), "kid": "one"}
    weak["n"] = weak["n"][: len(weak["n"]) // 2]
    provider.answers["/jwks"] = {"keys": [weak]}
    with pytest.raises(LoginRefused):
        await log_in(make())


async def test_an_elliptic_curve_provider_is_welcome(provider, make, log_in):
    provider.key = ECKey.generate_key("P-256", {"kid": "ec"})
    provider.published = [provider.key]
    provider.header = {"alg": "ES256", "kid": "ec"}
    assert (await log_in(make())).subject == "joe"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "a.b.c.d.e", "ä.ö.ü"])
async def test_what_is_no_token_is_refused(provider, make, log_in, token):
    provider.token = {"id_token": token}
    with pytest.raises(LoginRefused):
        await log_in(make())


@pytest.mark.parametrize("tokens", [{"id_token": None}, {"id_token": 7}, {"access_token": None}])
async def test_an_answer_without_tokens_is_refused(provider, make, log_in, tokens):
    provider.token = tokens
    with pytest.raises(LoginRefused, match="no ID token"):
        await log_in(make())


# ---- the callback


async def test_an_answer_of_another_issuer_is_refused(make, log_in):
    """Mix-up, RFC 9207: `iss` is checked even where it was not promised."""
    with pytest.raises(LoginRefused, match="another identity provider"):
        await log_in(make(), iss="https://evil.example.com")


async def test_a_promised_issuer_that_is_missing_is_refused(provider, make, log_in):
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    with pytest.raises(LoginRefused, match="another identity provider"):
        await log_in(make())
    assert (await log_in(make(), iss=provider.url)).subject == "joe"


async def test_a_mix_up_costs_no_code(provider, make, log_in):
    """The code of the honest provider must not travel to anybody's token endpoint."""
    with pytest.raises(LoginRefused):
        await log_in(make(), iss="https://evil.example.com")
    assert "/token" not in provider.asked


async def test_the_providers_own_words_are_kept_from_the_page(make, log_in):
    with pytest.raises(LoginRefused) as caught:
        await log_in(make(), error="access_denied", error_description="<script>\x1b[2J")
    assert "script" not in caught.value.message
    assert "access_denied" in caught.value.detail
    assert "\x1b" not in caught.value.detail


async def test_a_provider_in_trouble_says_try_again(make, log_in):
    with pytest.raises(ProviderUnavailable):
        await log_in(make(), error="temporarily_unavailable")


async def test_a_callback_without_code_is_refused(make, log_in):
    with pytest.raises(LoginRefused, match="no code"):
        await log_in(make(), code="")


async def test_a_code_that_the_provider_refuses_is_a_refusal(provider, make, log_in, refused):
    provider.answers["/token"] = refused(400, b'{"error":"invalid_grant"}')
    with pytest.raises(LoginRefused) as caught:
        await log_in(make())
    assert "invalid_grant" in caught.value.detail


# ---- a provider that is not well


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"]
)
async def test_a_provider_that_answers_500_is_unavailable(provider, make, log_in, refused, path):
    provider.answers[path] = refused(500)
    with pytest.raises(ProviderUnavailable):
        await log_in(make())


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"]
)
async def test_a_redirect_is_not_followed(provider, make, log_in, refused, path):
    """Else a provider could send our client secret or a token anywhere."""
    provider.answers[path] = refused(307, Location=f"{provider.url}/elsewhere")
    with pytest.raises(ProviderUnavailable):
        await log_in(make())
    assert "/elsewhere" not in provider.asked


async def test_a_provider_that_hangs_costs_the_deadline_only(provider, make, log_in):
    def hang(request):
        time.sleep(1.0)

    provider.answers["/token"] = hang
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="try again"):
        await log_in(make())
    assert time.monotonic() - started < 0.95


async def test_a_provider_that_drips_costs_the_deadline_only(provider, make, log_in):
    def drip(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        for _ in range(12):
            request.wfile.write(b" ")
            request.wfile.flush()
            time.sleep(0.1)

    provider.answers["/token"] = drip
    with pytest.raises(ProviderUnavailable):
        await log_in(make())


async def test_a_huge_answer_is_cut_off(provider, make, log_in):
    sent = []

    def flood(request):
        request.send_response(200)
        request.end_headers()
        try:
            for _ in range(4096):
                request.wfile.write(b" " * 65536)
                sent.append(65536)
        except OSError:
            pass

    provider.answers["/userinfo"] = flood
    with pytest.raises(ProviderUnavailable):
        await log_in(make())
    assert sum(sent) < 64 * 1024 * 1024


async def test_a_compressed_bomb_is_not_unpacked(provider, make, log_in, refused):
    provider.answers["/userinfo"] = refused(200, b"\x1f\x8b", Content_Encoding="gzip")
    with pytest.raises(ProviderUnavailable):
        await log_in(make())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null", b"[" * 100_000])
async def test_an_answer_that_is_no_json_object_is_unavailable(
    provider, make, log_in, refused, body
):
    provider.answers["/userinfo"] = refused(200, body)
    with pytest.raises(ProviderUnavailable):
        await log_in(make())


async def test_nobody_listening_is_unavailable(make):
    with pytest.raises(ProviderUnavailable):
        await make(issuer_url="http://127.0.0.1:1").begin(state="s", redirect_uri=CALLBACK)


async def test_a_provider_that_calls_itself_otherwise_is_not_used(provider, make, log_in):
    provider.metadata["issuer"] = provider.url + "/"
    with pytest.raises(ProviderUnavailable, match="not set up"):
        await log_in(make())


@pytest.mark.parametrize("key", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("url", [None, "http://idp.example.com/x", "file:///etc/passwd", 7, "//x"])
async def test_an_endpoint_without_tls_is_not_used(provider, make, log_in, key, url):
    provider.metadata[key] = url
    with pytest.raises(ProviderUnavailable, match="not set up"):
        await log_in(make())


async def test_after_a_failure_the_provider_is_asked_again(provider, make, log_in, refused):
    connector = make()
    provider.answers["/.well-known/openid-configuration"] = refused(500)
    with pytest.raises(ProviderUnavailable):
        await log_in(connector)
    provider.answers.clear()
    assert (await log_in(connector)).subject == "joe"


# ---- keys


async def test_a_key_rotated_in_mid_login_is_fetched(provider, make, log_in, ticks):
    connector = make()
    await log_in(connector)
    provider.claims = {}
    provider.key = RSAKey.generate_key(2048, {"kid": "two"})
    provider.published = [provider.key]
    provider.header = {"kid": "two"}
    ticks.seconds += 31
    assert (await log_in(connector)).subject == "joe"


async def test_made_up_key_ids_do_not_flood_the_provider(provider, make, log_in, ticks):
    connector = make()
    ticks.seconds += 100
    for number in range(5):
        provider.claims, provider.header = {}, {"kid": f"made-up-{number}"}
        with pytest.raises(LoginRefused):
            await log_in(connector)
    assert provider.asked.count("/jwks") == 1
    ticks.seconds += 31
    provider.claims = {}
    with pytest.raises(LoginRefused):
        await log_in(connector)
    assert provider.asked.count("/jwks") == 2


async def test_metadata_and_keys_are_cached(provider, make, log_in, ticks):
    connector = make()
    for _ in range(3):
        provider.claims = {}
        await log_in(connector)
    assert provider.asked.count("/jwks") == 1
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    ticks.seconds += 3601
    provider.claims = {}
    await log_in(connector)
    assert provider.asked.count("/jwks") == 2


async def test_a_token_without_key_id_is_read_when_there_is_one_key_only(provider, make, log_in):
    provider.header = {"kid": None}
    assert (await log_in(make())).subject == "joe"
    provider.claims = {}
    provider.published = [provider.key, RSAKey.generate_key(2048, {"kid": "two"})]
    with pytest.raises(LoginRefused):
        await log_in(make())


# ---- claims, through the connector


async def test_an_unverified_email_does_not_come_in(provider, make, log_in):
    provider.claims = {"email_verified": False}
    with pytest.raises(LoginRefused, match="not verified"):
        await log_in(make())
    provider.claims = {"email_verified": False}
    assert (await log_in(make(allow_unverified_email=True))).name == "joe@example.com"


async def test_an_email_of_which_nothing_is_said_gives_no_name_and_no_role(provider, make, log_in):
    """Entra ID says nothing and lets tenants set any address."""
    roles = [{"claim": "email", "value": "joe@example.com", "roles": ["admin"]}]
    connector = make(claims_to_roles=tuple(mapping(each, place="m") for each in roles))
    provider.claims = {"email_verified": None}
    who = await log_in(connector)
    assert (who.name, who.roles) == ("joe", ())
    assert "email" not in who.traits


async def test_secrets_are_not_in_reprs(make):
    connector = make()
    assert "s3cret" not in repr(connector)
    assert "s3cret" not in repr(connector._settings)


def test_a_connector_is_built_from_its_document():
    connector = build(
        "oidc",
        "corp",
        {
            "issuer_url": "https://idp.example.com",
            "client_id": "plane",
            "redirect_url": CALLBACK,
            "scope": ["groups"],
            "max_age": "3600s",
            "display": "Corp SSO",
            "provider": "okta",
            "claims_to_roles": [{"claim": "g", "value": "^(a|b)$", "roles": ["team-$1"]}],
        },
    )
    assert (connector.name, connector.type, connector.display) == ("corp", "oidc", "Corp SSO")
    assert connector._settings.redirect_urls == (CALLBACK,)
    assert connector._settings.max_age_seconds == 3600


GOOD = {"issuer_url": "https://idp.example.com", "client_id": "p"}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        GOOD | {"issuer_url": "http://idp.example.com"},
        GOOD | {"client_id": ""},
        GOOD | {"max_age": "soon"},
        GOOD | {"ca_file": "/nonexistent/ca.pem"},
        GOOD | {"claims_to_roles": [{"claim": "g", "value": "^x", "roles": ["r"]}]},
    ],
)
def test_bad_settings_are_refused(spec):
    with pytest.raises(SettingsInvalid):
        from_spec("corp", spec)


def test_an_unknown_kind_of_connector_is_refused():
    with pytest.raises(ConnectorError, match="no connector of kind"):
        build("saml", "x", {})
