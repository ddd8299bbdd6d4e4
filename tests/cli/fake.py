"""A small plane over real TLS that speaks the API of docs: what the CLI is tested against.

State is plain attributes that tests read and change; every request is kept in `requests`.
"""

# ruff: noqa: RET503 - an answer is sent, nothing is returned

import datetime as dt
import hashlib
import ipaddress
import json
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KINDS = {"role", "user", "cluster", "oidc"}


class Authority:
    """A CA that signs the fake's server certificate and the users' certificates."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake CA")])
        now = dt.datetime.now(dt.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def pin(self) -> str:
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return f"sha256:{hashlib.sha256(der).hexdigest()}"

    def sign(self, key, *, seconds: float, server: bool = False) -> str:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")]))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=1))
            .not_valid_after(now + dt.timedelta(seconds=seconds))
        )
        if server:
            loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    def server_context(self, folder: Path) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        path = folder / "server.pem"
        path.write_text(pem + self.sign(key.public_key(), seconds=86400, server=True) + self.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


class FakePlane(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, folder: Path) -> None:
        self.ca = Authority()
        super().__init__(("127.0.0.1", 0), _Api)
        self.socket = self.ca.server_context(folder).wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self.server_address[1]}"
        self.requests: list[tuple[str, str]] = []
        self.connectors = [{"name": "local", "type": "local", "display": "Password"}]
        self.credential = "certificate"
        self.session_seconds = 3600.0
        self.certificate_seconds: float | None = None  # None: as long as the session
        self.passwords = {"joe": "correct horse"}
        self.tokens: dict[str, dict] = {}
        self.codes: dict[str, dict] = {}
        self.login_error = ""
        self.state_suffix = ""
        self.down = False
        self.clusters = [
            {"name": "west", "labels": {"env": "dev"}, "kubernetesUsers": ["joe"],
             "kubernetesGroups": ["dev", "view"], "status": "ready"},
            {"name": "east", "labels": {"env": "prod", "tier": "1"}, "kubernetesUsers": ["joe"],
             "kubernetesGroups": ["view"], "status": "unreachable"},
        ]  # fmt: skip
        self.resources: dict[tuple[str, str], dict] = {
            ("role", "admin"): {
                "kind": "role", "version": "v8",
                "metadata": {"name": "admin", "description": "all of it", "revision": "3"},
                "spec": {"allow": {"kubernetes_labels": {"*": "*"}}},
            }
        }  # fmt: skip
        self.audit: list[dict] = []
        self.recordings: list[dict] = []
        self.cast = b'{"version": 2, "width": 80, "height": 24}\n[0.5, "o", "hi"]\n'
        self.lock = threading.Lock()

    def count(self, path: str) -> int:
        return sum(1 for _, found in self.requests if found.startswith(path))

    def handle_error(self, request, client_address) -> None:
        """Clients that hang up (a CA they do not trust) are part of the tests."""

    def issue(self, csr: str, user: str, connector: str) -> dict:
        expires = time.time() + self.session_seconds
        token = f"token-{len(self.tokens) + 1}"
        session = {
            "id": f"s{len(self.tokens) + 1}", "user": user, "connector": connector,
            "roles": ["access"], "traits": {"kubernetes_groups": ["dev"]},
            "created": _instant(time.time()), "expires": _instant(expires),
        }  # fmt: skip
        self.tokens[token] = session
        return {
            "session": session, "token": token, "certificate": self.certify(csr),
            "expires": _instant(expires), "user": user, "roles": ["access"], "ca": self.ca.pem,
        }  # fmt: skip

    def certify(self, csr: str) -> str:
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        seconds = self.certificate_seconds
        return self.ca.sign(
            request.public_key(), seconds=self.session_seconds if seconds is None else seconds
        )

    def apply(self, text: str, *, mode: str, dry: bool) -> dict:
        items, causes, new = [], [], {}
        for number, document in enumerate(yaml.safe_load_all(text), 1):
            if document is None:
                continue
            kind, name = document.get("kind"), document.get("metadata", {}).get("name")
            if kind not in KINDS:
                line = 1 + text.split("\n").index(f"kind: {kind}")
                causes.append({"field": "kind", "message": f"unknown kind {kind!r}",
                               "line": line, "document": number})  # fmt: skip
                continue
            old = self.resources.get((kind, name))
            given = document["metadata"].get("revision")
            if old and given and given != old["metadata"]["revision"]:
                return _status(409, "Conflict", f"{kind}/{name} was changed by somebody else")
            if old and _without_revision(old) == _without_revision(document):
                action, revision = "unchanged", old["metadata"]["revision"]
            elif old and mode == "create" and not given:
                return _status(409, "Conflict", f"{kind}/{name} exists already; use --force")
            else:
                action = "updated" if old else "created"
                revision = str(int(old["metadata"]["revision"]) + 1) if old else "1"
                document["metadata"]["revision"] = revision
                new[kind, name] = document
            items.append({"kind": kind, "name": name, "action": action, "revision": revision,
                          "warnings": []})  # fmt: skip
        if causes:
            return _status(422, "Invalid", "the documents are refused", {"causes": causes})
        if not dry:
            self.resources |= new
        return {"items": items}


def _without_revision(document: dict) -> dict:
    metadata = {key: value for key, value in document["metadata"].items() if key != "revision"}
    return {**document, "metadata": metadata}


def _instant(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", "Z")


def _status(code: int, reason: str, message: str, details: dict | None = None) -> dict:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
            "reason": reason, "code": code, "details": details or {}}  # fmt: skip


class _Api(BaseHTTPRequestHandler):
    server: FakePlane
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        parts = urlsplit(self.path)
        self.query = dict(parse_qsl(parts.query))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            self.server.requests.append((method, self.path))
        if self.server.down:
            return self._json(_status(503, "ServiceUnavailable", "closed for today"))
        names = [part for part in parts.path.split("/") if part][1:]
        public = {"ping", "login"}
        if names[0] not in public and self._session() is None:
            return self._json(_status(401, "Unauthorized", "you are not logged in"))
        getattr(self, f"_{method.lower()}_{names[0]}")(*names[1:])

    def _session(self) -> dict | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.server.tokens.get(token)

    def _json(self, value: dict) -> None:
        code = value["code"] if value.get("kind") == "Status" else 200
        self._bytes(json.dumps(value).encode(), code, "application/json")

    def _bytes(self, body: bytes, code: int = 200, kind: str = "application/json") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _get_ping(self) -> None:
        self._json(
            {"name": "fake", "version": "9.9", "connectors": self.server.connectors,
             "credential": self.server.credential, "kubePath": "/k8s/clusters/"}
        )  # fmt: skip

    def _get_login(self, step: str) -> None:
        assert step == "authorize"
        assert self.query["code_challenge_method"] == "S256"
        code = f"code-{len(self.server.codes) + 1}"
        self.server.codes[code] = self.query
        if self.query["redirect_uri"] == "urn:ietf:wg:oauth:2.0:oob":
            return self._bytes(code.encode(), kind="text/plain")
        back = f"code={code}"
        if self.server.login_error:
            back = f"error=access_denied&error_description={quote(self.server.login_error)}"
        state = quote(self.query["state"] + self.server.state_suffix)
        self.send_response(303)
        self.send_header("Location", f"{self.query['redirect_uri']}?{back}&state={state}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _post_login(self, step: str) -> None:
        body = json.loads(self.body)
        with self.server.lock:
            if step == "password":
                if self.server.passwords.get(body["user"]) != body["password"]:
                    return self._json(_status(401, "Unauthorized", "wrong user or password"))
                return self._json(self.server.issue(body["csr"], body["user"], "local"))
            asked = self.server.codes.pop(body["code"], None)
            digest = hashlib.sha256(body["code_verifier"].encode()).digest()
            challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
            if asked is None or asked["code_challenge"] != challenge:
                return self._json(_status(401, "Unauthorized", "unknown or used code"))
            self._json(self.server.issue(body["csr"], "ann", asked.get("connector", "sso")))

    def _post_certificates(self) -> None:
        self._json({"certificate": self.server.certify(json.loads(self.body)["csr"])})

    def _get_session(self) -> None:
        self._json(self._session() or {})

    def _post_logout(self) -> None:
        del self.server.tokens[self.headers["Authorization"].removeprefix("Bearer ")]
        self._json({})

    def _get_clusters(self) -> None:
        self._json({"kind": "List", "items": self.server.clusters})

    def _get_resources(self, kind: str, name: str = "") -> None:
        if kind not in KINDS:
            return self._json(_status(404, "NotFound", f"there is no kind {kind!r}"))
        if not name:
            found = [item for key, item in self.server.resources.items() if key[0] == kind]
            return self._json({"kind": "List", "items": found})
        one = self.server.resources.get((kind, name))
        self._json(one or _status(404, "NotFound", f"there is no {kind} {name!r}"))

    def _post_resources(self) -> None:
        assert self.headers["Content-Type"] == "application/yaml"
        dry = self.query.get("dryRun") == "true"
        answer = self.server.apply(self.body.decode(), mode=self.query["mode"], dry=dry)
        self._json(answer)

    def _delete_resources(self, kind: str, name: str) -> None:
        if (kind, name) == ("role", "locked"):
            return self._json(_status(403, "Forbidden", "you may not delete role resources"))
        if self.server.resources.pop((kind, name), None) is None:
            return self._json(_status(404, "NotFound", f"there is no {kind} {name!r}"))
        self._json({"kind": kind, "name": name, "action": "deleted"})

    def _post_users(self, name: str = "", action: str = "") -> None:
        body = json.loads(self.body or b"{}")
        name = name or body["name"]
        spec = {"roles": body.get("roles"), "traits": body.get("traits")}
        if not action:
            self.server.resources["user", name] = {
                "kind": "user", "version": "v1",
                "metadata": {"name": name, "revision": "1"}, "spec": spec,
            }  # fmt: skip
        self._json({"invite": f"{self.server.url}/invite/i1", "expires": "2030-01-01T00:00:00Z"})

    def _get_audit(self, follow: str = "") -> None:
        if not follow:
            return self._json({"kind": "List", "items": self.server.audit})
        self._bytes(b"".join(json.dumps(e).encode() + b"\n" for e in self.server.audit))

    def _get_recordings(self, name: str = "", part: str = "") -> None:
        if not name:
            return self._json({"kind": "List", "items": self.server.recordings})
        found = [item for item in self.server.recordings if item["id"] == name]
        if not found:
            return self._json(_status(404, "NotFound", f"there is no recording {name!r}"))
        if part:
            return self._bytes(self.server.cast, kind="application/x-asciicast")
        self._json(found[0])
