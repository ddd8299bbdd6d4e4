"""HTTP to plane's API: one TLS connection per request, errors with their exit codes.

The server is verified against the profile's CA, or the system's when there is none
(SSL_CERT_FILE is honoured by Python). HTTPS_PROXY and NO_PROXY are honoured as in Go: the loopback
is never proxied.
"""

import base64
import http.client
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit

from cli.errors import CliError, ExitCode
from cli.output import Document, mapping

_LIMIT_BYTES = 256 << 20
_EXIT_CODES = {
    401: ExitCode.NOT_LOGGED_IN,
    403: ExitCode.DENIED,
    404: ExitCode.NOT_FOUND,
    502: ExitCode.UNREACHABLE,
    503: ExitCode.UNREACHABLE,
    504: ExitCode.UNREACHABLE,
}


class ApiError(CliError):
    """The server refused; `details` is what its Status says about the places in a document."""

    def __init__(self, status: int, answer: Document, *, proxy: str) -> None:
        code = _EXIT_CODES.get(status, ExitCode.FAILURE)
        hint = f"Run `plane login --proxy {proxy}`." if status == 401 else ""
        message = str(answer.get("message") or f"{proxy} answered {status}")
        super().__init__(message, hint=hint, code=code)
        self.status = status
        self.details = mapping(answer.get("details"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Speaks to one server; `ca_pem` is the only trusted root when given."""

    proxy: str
    ca_pem: str = ""
    token: str = ""
    timeout_seconds: float | None = 30.0

    def __repr__(self) -> str:
        """Name the server, never the token."""
        return f"<Client {self.proxy}>"

    def get(self, path: str, **query: object) -> Document:
        """GET a JSON object; query values that are None or empty are left out."""
        return self.send("GET", path, query=query)

    def post(self, path: str, body: object = None, **query: object) -> Document:
        """POST a JSON body and return the JSON answer."""
        data = b"" if body is None else json.dumps(body).encode()
        return self.send("POST", path, query=query, data=data, kind="application/json")

    def post_yaml(self, path: str, body: str, **query: object) -> Document:
        """POST documents as they were written, so that the server can name their lines."""
        return self.send("POST", path, query=query, data=body.encode(), kind="application/yaml")

    def delete(self, path: str, **query: object) -> Document:
        """DELETE a thing and return the JSON answer."""
        return self.send("DELETE", path, query=query)

    def get_bytes(self, path: str, **query: object) -> bytes:
        """GET a body as it is, a recording for instance (at most 256 MiB)."""
        with self._answer("GET", path, query=query) as response:
            return self._read(response)

    def lines(self, path: str, **query: object) -> Iterator[Document]:
        """GET newline-delimited JSON objects and yield them as they arrive, until the end."""
        endless = replace(self, timeout_seconds=None)
        with endless._answer("GET", path, query=query) as response:  # noqa: SLF001 - a copy of us
            while line := response.readline(_LIMIT_BYTES):
                if line.strip():
                    yield self._parsed(line)

    def send(
        self, method: str, path: str, *, query: Mapping[str, object], data: bytes = b"",
        kind: str = "",
    ) -> Document:  # fmt: skip
        """Send one request and return the JSON object in its answer; ApiError when refused."""
        with self._answer(method, path, query=query, data=data, kind=kind) as response:
            body = self._read(response)
        return self._parsed(body) if body.strip() else {}

    @contextmanager
    def _answer(
        self, method: str, path: str, *, query: Mapping[str, object], data: bytes = b"",
        kind: str = "",
    ) -> Iterator[http.client.HTTPResponse]:  # fmt: skip
        parts = urlsplit(self.proxy)
        connection = connect(parts, ca_pem=self.ca_pem, timeout_seconds=self.timeout_seconds)
        target = parts.path + path + _encoded(query)
        with connection_errors(self.proxy), closing(connection):
            connection.request(method, target, body=data or None, headers=self._headers(kind))
            with connection.getresponse() as response:
                if response.status >= 300:
                    raise self._refused(response)
                yield response

    def _headers(self, kind: str) -> dict[str, str]:
        headers = {"Accept": "application/json, */*;q=0.5", "User-Agent": "plane-cli"}
        if kind:
            headers["Content-Type"] = kind
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def _refused(self, response: http.client.HTTPResponse) -> ApiError:
        body = self._read(response)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}  # a load balancer's page says nothing that a terminal should show
        return ApiError(response.status, mapping(answer), proxy=self.proxy)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        body = response.read(_LIMIT_BYTES + 1)
        if len(body) > _LIMIT_BYTES:
            raise CliError(f"the answer of {self.proxy} is too large")
        return body

    def _parsed(self, body: bytes) -> Document:
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise CliError(f"{self.proxy} did not answer as plane does")
        return answer


def segment(name: str) -> str:
    """Write a name as one path segment."""
    return quote(name, safe="")


def connect(
    parts: SplitResult, *, ca_pem: str, timeout_seconds: float | None, insecure_any: bool = False
) -> http.client.HTTPSConnection:
    """Prepare a connection, through HTTPS_PROXY when that is set for this host.

    It trusts this CA only, or the system's when it is empty; `insecure_any` trusts everybody.
    """
    context = ssl.create_default_context(cadata=ca_pem or None)
    if insecure_any:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    host, port = parts.hostname or "", parts.port or 443
    via = _forward_proxy(host)
    if via is None:
        return http.client.HTTPSConnection(host, port, context=context, timeout=timeout_seconds)
    connection = http.client.HTTPSConnection(
        via.hostname or "", via.port or 3128, context=context, timeout=timeout_seconds
    )
    headers = {}
    if via.username:
        login = f"{unquote(via.username)}:{unquote(via.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    connection.set_tunnel(host, port, headers=headers)
    return connection


def _forward_proxy(host: str) -> SplitResult | None:
    # proxy_bypass_environment is documented nowhere but what urllib itself uses for NO_PROXY.
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    via = getproxies_environment().get("https")
    loopback = host in {"localhost", "::1"} or host.startswith("127.")
    if not via or loopback or proxy_bypass_environment(host):
        return None
    return urlsplit(via if "://" in via else f"http://{via}")


def _encoded(query: Mapping[str, object]) -> str:
    kept = {key: value for key, value in query.items() if value not in (None, "", ())}
    return f"?{urlencode(kept)}" if kept else ""


class connection_errors:  # noqa: N801 - reads as a statement: `with connection_errors(proxy):`
    """Turn what sockets and TLS raise into one sentence and exit code 6."""

    def __init__(self, proxy: str) -> None:
        self.proxy = proxy

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "Give its CA: `plane login --ca-pin sha256:...` or `--ca-file ca.pem`."
            message = f"cannot trust {self.proxy}: {error.verify_message}"
            raise CliError(message, hint=hint, code=ExitCode.UNREACHABLE) from error
        if isinstance(error, TimeoutError):
            raise self._unreachable("no answer in time") from error
        if isinstance(error, OSError | http.client.HTTPException):
            raise self._unreachable(_cause(error)) from error

    def _unreachable(self, cause: str) -> CliError:
        hint = "Is the address right, and the server up? HTTPS_PROXY and NO_PROXY are honoured."
        message = f"cannot reach {self.proxy}: {cause}"
        return CliError(message, hint=hint, code=ExitCode.UNREACHABLE)


def _cause(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if not error.errno else os.strerror(error.errno)
    return str(error) or type(error).__name__


def client_for(proxy: str | None) -> Client:
    """A client with the login at the server meant (see profile.require for the errors)."""
    import time

    from cli.profile import require

    profile = require(proxy, now=time.time())
    return Client(proxy=profile.proxy, ca_pem=profile.ca_pem, token=profile.token)
