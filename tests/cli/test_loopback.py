"""The one-shot server that the browser comes back to."""

import socket
import urllib.request
from urllib.error import HTTPError

import pytest

from cli.loopback import listening

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url):
    try:
        with OPENER.open(url, timeout=10) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def test_the_callback_with_our_state_is_taken_once():
    with listening("s3cret") as server:
        status, page, headers = fetch(f"{server.redirect_uri}?code=c1&state=s3cret")
        assert (status, headers["Cache-Control"]) == (200, "no-store")
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "c1" not in page
        assert "s3cret" not in page
        assert fetch(f"{server.redirect_uri}?code=c2&state=s3cret")[0] == 400
        assert server.wait(1).code == "c1"


@pytest.mark.parametrize(
    "query",
    ["", "code=x", "code=x&state=", "code=x&state=s3cre", "state=s3cret", "code=x&state=%FF"],
)
def test_a_forged_callback_neither_ends_nor_takes_over_the_login(query):
    with listening("s3cret") as server:
        assert fetch(f"{server.redirect_uri}?{query}")[0] == 400
        assert server.wait(0) is None
        assert fetch(f"{server.redirect_uri}?code=mine&state=s3cret")[0] == 200
        assert server.wait(1).code == "mine"


def test_other_addresses_are_not_found():
    with listening("s3cret") as server:
        assert fetch(server.redirect_uri.replace("/callback", "/favicon.ico"))[0] == 404


def test_a_browser_that_opens_an_idle_connection_first_does_not_hold_up_the_callback():
    with (
        listening("s3cret") as server,
        socket.create_connection(("127.0.0.1", server.server_address[1])),
    ):
        assert fetch(f"{server.redirect_uri}?code=c1&state=s3cret")[0] == 200


def test_it_listens_on_the_loopback_only():
    with listening("s3cret") as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.redirect_uri.startswith("http://127.0.0.1:")
