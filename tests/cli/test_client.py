"""HTTP as the CLI speaks it: forward proxies, and servers that do not answer as they should."""

import socket
import threading
import time

import pytest

from cli.client import Client
from cli.errors import CliError, ExitCode


@pytest.fixture
def forward_proxy(plane):
    """An HTTP proxy that notes each CONNECT and leads it to the fake, whatever it names."""
    heard = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        target.close()

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            heard.append(head.decode())
            server = socket.create_connection(("127.0.0.1", plane.server_address[1]))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=pump, args=(client, server), daemon=True).start()
            threading.Thread(target=pump, args=(server, client), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://me:pw@127.0.0.1:{listener.getsockname()[1]}", heard
    listener.close()


def test_https_proxy_is_used_and_the_server_still_verified(plane, forward_proxy, monkeypatch):
    address, heard = forward_proxy
    monkeypatch.setenv("HTTPS_PROXY", address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    with pytest.raises(CliError, match="cannot trust https"):
        Client(proxy="https://plane.example.com", ca_pem=plane.ca.pem).get("/v1/ping")
    assert heard[0].startswith("CONNECT plane.example.com:443 HTTP/1.")
    assert "Proxy-Authorization: Basic bWU6cHc=\r\n" in heard[0]
    assert plane.requests == [], "a name that the certificate lacks gets no request"


def test_the_loopback_and_no_proxy_are_reached_directly(plane, forward_proxy, monkeypatch):
    address, heard = forward_proxy
    monkeypatch.setenv("HTTPS_PROXY", address)
    assert Client(proxy=plane.url, ca_pem=plane.ca.pem).get("/v1/ping")["name"] == "fake"
    monkeypatch.setenv("NO_PROXY", "invalid.example")
    with pytest.raises(CliError, match="cannot reach"):
        Client(proxy="https://invalid.example:1").get("/v1/ping")
    assert heard == []


def test_a_server_that_never_answers_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(proxy=f"https://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.3)
        before = time.monotonic()
        with pytest.raises(CliError, match="no answer in time") as error:
            client.get("/v1/ping")
        assert error.value.code == ExitCode.UNREACHABLE
        assert time.monotonic() - before < 5


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1]", b"\xff", b"null"])
def test_an_answer_that_is_no_json_object_is_refused(plane, body):
    plane.cast = body
    plane.recordings = [{"id": "r"}]
    plane.tokens["t"] = {"user": "joe"}
    client = Client(proxy=plane.url, ca_pem=plane.ca.pem, token="t")
    with pytest.raises(CliError, match="did not answer as plane does"):
        client.get("/v1/recordings/r/cast")
    assert client.get_bytes("/v1/recordings/r/cast") == body


def test_neither_repr_shows_a_secret():
    from cli.profile import Profile

    assert "s3cret" not in repr(Client(proxy="https://x", token="s3cret"))
    assert "s3cret" not in repr(Profile(proxy="https://x", token="s3cret", key_pem="s3cret"))
