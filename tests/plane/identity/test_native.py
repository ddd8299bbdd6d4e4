"""A code goes to the machine that asked, or onto a page; nowhere else."""

import pytest

from plane.errors import BadRequest
from plane.identity.native import OUT_OF_BAND, asked, proves


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:65535/callback",
        "http://[::1]:8000/callback",
    ],
)
def test_loopback_addresses_with_any_port_are_fine(asks, uri):
    assert asked(asks(redirect_uri=uri)).redirect_uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://evil.example.com/callback",
        "http://evil.example.com:8000/callback",
        "http://localhost:8000/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8000/other",
        "http://127.0.0.1:8000/callback/..",
        "http://127.0.0.1:8000/callback?x=1",
        "http://127.0.0.1:8000/callback#x",
        "http://127.0.0.1:8000/callback\n",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:8000@evil.example.com/callback",
        "http://evil@127.0.0.1:8000/callback",
        "http://127.0.0.1.evil.example.com:80/callback",
        "http://127.0.0.2:8000/callback",
        "http://127.1:8000/callback",
        "http://[::1%25eth0]:8000/callback",
        "http://[::ffff:1.2.3.4]:80/callback",
        "HTTP://127.0.0.1:8000/callback",
        "https://127.0.0.1:8000/callback",
        "javascript:alert(1)",
        "//127.0.0.1:8000/callback",
        "http://127.0.0.1:٨٠٠٠/callback",
        "urn:ietf:wg:oauth:2.0:oob:auto",
    ],
)
def test_an_open_redirect_is_refused(asks, uri):
    with pytest.raises(BadRequest, match="redirect_uri"):
        asked(asks(redirect_uri=uri))


@pytest.mark.parametrize("method", ["plain", "", "s256", None])
def test_pkce_is_s256_only(asks, method):
    params = asks(code_challenge_method=method)
    if method is None:
        del params["code_challenge_method"]
    with pytest.raises(BadRequest, match="S256"):
        asked(params)


@pytest.mark.parametrize("challenge", ["", "short", "x" * 44, "=" * 43, "a" * 42 + "\n"])
def test_a_challenge_that_is_no_sha256_is_refused(asks, challenge):
    with pytest.raises(BadRequest, match="code_challenge"):
        asked(asks(code_challenge=challenge))


@pytest.mark.parametrize("state", ["", "x" * 513, "a b", "a\r\nSet-Cookie: x", "ü"])
def test_a_state_that_does_not_fit_an_address_is_refused(asks, state):
    with pytest.raises(BadRequest, match="state"):
        asked(asks(state=state))


def test_the_answer_carries_code_and_state_escaped(asks):
    answer = asked(asks(state="a&code=evil#x")).answer("c0de")
    assert answer == "http://127.0.0.1:49152/callback?code=c0de&state=a%26code%3Devil%23x"


def test_where_a_form_may_lead(asks):
    assert asked(asks()).form_action == "http://127.0.0.1:49152"
    assert asked(asks(redirect_uri="http://[::1]:9/callback")).form_action == "http:"
    out_of_band = asked(asks(redirect_uri=OUT_OF_BAND))
    assert out_of_band.out_of_band
    assert out_of_band.form_action == ""


def test_only_the_right_verifier_proves(asks):
    challenge = asked(asks()).challenge
    assert proves(asks.verifier, challenge)
    for wrong in ("w" * 43, "", challenge, asks.verifier + "\n", "v" * 42, "v" * 129, "ü" * 43):
        assert not proves(wrong, challenge)


def test_secrets_of_a_login_are_not_in_its_repr(asks):
    assert "cli-state" not in repr(asked(asks()))
