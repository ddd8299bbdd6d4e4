"""Who is logged in where: one private file per server, and which server is the current one.

A profile holds the session's token and the key and certificate that kubectl gets. Its `exec` part
is the ready answer of the credential plugin, which warm.py reads without this module.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from cli.errors import CliError, ExitCode
from cli.files import locked, private_folder, write_atomically
from cli.instant import rfc3339
from cli.paths import profile_path, state_folder

# kubectl shall ask again before the server says 401.
_EARLY_SECONDS = 30.0
_RENEW_AT = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A login at one server. Instants are UTC epoch seconds; texts are PEM where so named.

    `credential` is what kubectl shall use: "certificate" or "token". `connector` and
    `local_user` say how to log in again.
    """

    proxy: str
    ca_pem: str = ""
    user: str = ""
    connector: str = ""
    local_user: str = ""
    roles: tuple[str, ...] = ()
    token: str = ""
    expires: float = 0.0
    credential: str = "certificate"
    kube_path: str = "/k8s/clusters/"
    csr_pem: str = ""
    key_pem: str = ""
    certificate_pem: str = ""
    certificate_issued: float = 0.0
    certificate_expires: float = 0.0

    def __repr__(self) -> str:
        """Name the login; keys and tokens never reach a traceback."""
        return f"<Profile {self.user or '?'} at {self.proxy}>"

    def live(self, now: float) -> bool:
        """Whether the session should still be known to the server."""
        return bool(self.token) and now < self.expires

    @property
    def uses_token(self) -> bool:
        """Whether kubectl gets the session's token instead of a certificate."""
        return self.credential == "token" or not self.certificate_pem

    @property
    def usable_until(self) -> float:
        """When kubectl's credential stops being handed out, slightly before it expires."""
        end, start = self.certificate_expires, self.certificate_issued
        if self.uses_token:
            end, start = self.expires, 0.0
        return end - min(_EARLY_SECONDS, max(0.0, end - start) / 10)

    @property
    def fresh_until(self) -> float:
        """When to renew: at 80 % of a certificate's life if the session outlives it."""
        if self.uses_token or self.certificate_expires >= self.expires:
            return self.usable_until
        life = self.certificate_expires - self.certificate_issued
        return min(self.usable_until, self.certificate_issued + _RENEW_AT * life)

    def exec_status(self) -> dict[str, str]:
        """The `status` of an ExecCredential."""
        status = {"expirationTimestamp": rfc3339(self.usable_until)}
        if self.uses_token:
            return status | {"token": self.token}
        pair = {"clientCertificateData": self.certificate_pem, "clientKeyData": self.key_pem}
        return status | pair


def normalize(proxy: str) -> str:
    """Write a server's address in one way: https, lower case, no default port, no last slash."""
    url = proxy if "://" in proxy else f"https://{proxy}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _bad_address(proxy) from error
    if parts.scheme != "https" or not host or parts.username or parts.query or parts.fragment:
        raise _bad_address(proxy)
    if not all(char.isascii() and (char.isalnum() or char in ".-:_") for char in host):
        raise _bad_address(proxy)
    name = f"[{host}]" if ":" in host else host
    return f"https://{name}{'' if port in (None, 443) else f':{port}'}{parts.path.rstrip('/')}"


def _bad_address(proxy: str) -> CliError:
    hint = "Write it as https://plane.example.com[:port]."
    return CliError(f"{proxy!r} is no server address", hint=hint, code=ExitCode.USAGE)


def choose(proxy: str | None) -> str:
    """The server meant: the flag, else PLANE_PROXY, else the one last logged in to."""
    wish = proxy or os.environ.get("PLANE_PROXY")
    if wish:
        return normalize(wish)
    try:
        return (Path(state_folder()) / "current").read_text("utf-8").strip()
    except OSError:
        hint = "Run `plane login --proxy https://plane.example.com`."
        raise CliError("you are not logged in", hint=hint, code=ExitCode.NOT_LOGGED_IN) from None


def load(proxy: str) -> Profile | None:
    """Read the profile of a server; None when there is none or it cannot be understood."""
    try:
        stored = json.loads(Path(profile_path(proxy)).read_bytes())
        known = {field.name for field in fields(Profile)}
        values = {key: value for key, value in stored.items() if key in known}
        return Profile(**values | {"roles": tuple(values.get("roles", ()))})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def require(proxy: str | None, *, now: float) -> Profile:
    """The live profile of the server meant; otherwise an error that says how to log in.

    PLANE_TOKEN or PLANE_TOKEN_FILE stand in for a login.
    """
    place = choose(proxy)
    profile = load(place)
    token = environment_token()
    if token:
        known = profile or Profile(proxy=place)
        return Profile(
            proxy=place, ca_pem=known.ca_pem, kube_path=known.kube_path, token=token,
            credential="token", expires=now + 3600,
        )  # fmt: skip
    if profile is None or not profile.live(now):
        raise not_logged_in(place, profile)
    return profile


def not_logged_in(proxy: str, profile: Profile | None) -> CliError:
    """What to say to somebody whose profile is missing, empty or expired."""
    expired = profile is not None and profile.token
    what = "your login has expired at" if expired else "you are not logged in to"
    hint = f"Run `plane login --proxy {proxy}`."
    return CliError(f"{what} {proxy}", hint=hint, code=ExitCode.NOT_LOGGED_IN)


def environment_token() -> str:
    """The token in PLANE_TOKEN or in the file that PLANE_TOKEN_FILE names, else nothing."""
    path = os.environ.get("PLANE_TOKEN_FILE")
    token = Path(path).read_text("utf-8") if path else os.environ.get("PLANE_TOKEN", "")
    return token.strip()


def save(profile: Profile, *, current: bool = True) -> None:
    """Store a profile (0600 in a 0700 folder, replaced as a whole), and make it the current one."""
    path = Path(profile_path(profile.proxy))
    private_folder(path.parent)
    ready = {"until": profile.fresh_until, "status": profile.exec_status()}
    document = asdict(profile) | {"exec": ready}
    write_atomically(path, json.dumps(document, indent=1).encode())
    if current:
        write_atomically(Path(state_folder()) / "current", f"{profile.proxy}\n".encode())


def forget(proxy: str) -> None:
    """Remove key, certificate and token; how to reach and trust the server is kept.

    Without the CA the contexts that stay in the kubeconfig could not log in again.
    """
    profile = load(proxy)
    if profile is None:
        Path(profile_path(proxy)).unlink(missing_ok=True)
        return
    kept = Profile(
        proxy=proxy, ca_pem=profile.ca_pem, connector=profile.connector,
        local_user=profile.local_user, kube_path=profile.kube_path,
    )  # fmt: skip
    save(kept, current=False)


def known() -> list[Profile]:
    """Every login that is stored, expired ones too, sorted by server."""
    folder = Path(state_folder()) / "profiles"
    found = []
    for path in sorted(folder.glob("[!.]*.json")):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            proxy = str(json.loads(path.read_bytes()).get("proxy", ""))
            profile = load(proxy) if proxy else None
            found += [profile] if profile and profile.token else []
    return found


@contextlib.contextmanager
def login_lock(proxy: str, *, timeout_seconds: float = 200) -> Iterator[None]:
    """Held by the one process that logs in or renews; the others wait and read what it stored."""
    path = Path(profile_path(proxy))
    private_folder(path.parent)
    with locked(path.with_suffix(".lock"), timeout_seconds=timeout_seconds):
        yield
