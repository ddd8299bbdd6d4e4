"""A provider whose every answer the test decides: a real HTTP server on a free port."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

NOW = 1_800_000_000


class HostileProvider:
    """OpenID Connect over HTTP; `answers` replaces any path's answer, `claims` and `header` the token's."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.published = [self.key]
        self.answers = {}
        self.claims = {}
        self.nonce = None
        self.header = {}
        self.userinfo = {}
        self.metadata = {}
        self.token = {}
        self.sign = self._sign
        self.asked = []
        self.forms = []
        self.sent = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.serve(self)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve(self, request):
        path = urlsplit(request.path).path
        self.asked.append(path)
        self.sent.append(dict(request.headers))
        length = int(request.headers.get("Content-Length") or 0)
        self.forms.append(parse_qs(request.rfile.read(length).decode()))
        answer = self.answers.get(path)
        if callable(answer):
            answer(request)
            return
        document = answer if answer is not None else self.document(path)
        data = json.dumps(document).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def document(self, path):
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "userinfo_endpoint": f"{self.url}/userinfo",
                **self.metadata,
            }
        if path == "/jwks":
            return {"keys": [key.as_dict(private=False) for key in self.published]}
        if path == "/token":
            tokens = {"access_token": "at", "token_type": "Bearer", "id_token": self.sign()}
            return {**tokens, **self.token}
        return {"sub": "joe", **self.userinfo}

    def full_claims(self):
        claims = {
            "iss": self.url,
            "sub": "joe",
            "aud": "plane",
            "exp": NOW + 300,
            "iat": NOW,
            "email": "joe@example.com",
            "email_verified": True,
            "nonce": self.nonce,
            **self.claims,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def _sign(self):
        header = {"alg": "RS256", "kid": "one", **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(header, self.full_claims(), self.key)


def refuse(status, body=b"", **headers):
    """An answer of this status, for `answers`."""

    def answer(request):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


@pytest.fixture(scope="session")
def _provider():
    provider = HostileProvider()
    yield provider
    provider.close()


@pytest.fixture
def provider(_provider):
    """The server is kept (keys are slow to make), its manners are not."""
    key = _provider.key
    for name in ("answers", "claims", "header", "userinfo", "metadata", "token"):
        setattr(_provider, name, {})
    _provider.published = [key]
    _provider.sign = _provider._sign
    _provider.asked, _provider.forms, _provider.sent = [], [], []
    yield _provider
    _provider.key = key


@pytest.fixture
def refused():
    return refuse
