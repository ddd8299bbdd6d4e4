"""One login, whoever asks for it: `plane login` or the credential plugin."""

import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from cli.browser import authorize
from cli.client import ApiError, Client
from cli.errors import CliError, ExitCode
from cli.instant import from_rfc3339
from cli.keys import key_and_request, validity
from cli.output import Document, mapping
from cli.profile import Profile
from cli.trust import ca_for

_LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the person wants to log in; empty fields leave the choice to the server."""

    proxy: str
    connector: str = ""
    user: str = ""
    no_browser: bool = False
    ca_file: Path | None = None
    ca_pin: str = ""
    ttl_seconds: int | None = None


def again(profile: Profile) -> Wish:
    """The login that a profile came from."""
    return Wish(proxy=profile.proxy, connector=profile.connector, user=profile.local_user)


def sign_in(wish: Wish, *, known: Profile | None) -> Profile:
    """Log in and return the new profile, not stored yet; messages go to stderr."""
    ca_pem = ca_for(
        wish.proxy,
        ca_file=wish.ca_file,
        pin=wish.ca_pin,
        known_pem=known.ca_pem if known else "",
    )
    client = Client(proxy=wish.proxy, ca_pem=ca_pem)
    greeting = client.get("/v1/ping")
    connector = _connector(wish, greeting=greeting)
    key_pem, csr_pem = key_and_request()
    answer = _answer(client, replace(wish, connector=connector), csr_pem=csr_pem)
    blank = Profile(
        proxy=wish.proxy,
        ca_pem=ca_pem,
        connector=connector,
        local_user=wish.user,
        credential=str(greeting.get("credential") or "certificate"),
        kube_path=str(greeting.get("kubePath") or "/k8s/clusters/"),
        csr_pem=csr_pem,
        key_pem=key_pem,
    )
    return _filled(blank, answer)


def renew(profile: Profile) -> Profile:
    """Have the same key certified again within a live session (POST /v1/certificates)."""
    client = Client(proxy=profile.proxy, ca_pem=profile.ca_pem, token=profile.token)
    answer = client.post("/v1/certificates", {"csr": profile.csr_pem})
    certificate = str(answer.get("certificate") or "")
    begin, end = _valid(certificate)
    return replace(
        profile, certificate_pem=certificate, certificate_issued=begin, certificate_expires=end
    )


def _connector(wish: Wish, *, greeting: Document) -> str:
    found = greeting.get("connectors")
    offered = [mapping(item) for item in found] if isinstance(found, list) else []
    names = [str(item.get("name")) for item in offered]
    if wish.connector and wish.connector not in names:
        known = ", ".join(names) or "none"
        message = f"{wish.proxy} has no connector {wish.connector!r}"
        raise CliError(message, hint=f"It has: {known}.", code=ExitCode.NOT_FOUND)
    if wish.connector:
        return wish.connector
    if wish.user:
        local = [str(item.get("name")) for item in offered if item.get("type") == _LOCAL]
        return local[0] if local else _LOCAL
    return names[0] if len(names) == 1 else ""


def _answer(client: Client, wish: Wish, *, csr_pem: str) -> Document:
    body: dict[str, object] = {"csr": csr_pem}
    if wish.ttl_seconds:
        body["ttl_seconds"] = wish.ttl_seconds
    try:
        if wish.user:
            body |= {"user": wish.user, "password": _password(wish.user)}
            return client.post("/v1/login/password", body)
        code = authorize(wish.proxy, connector=wish.connector, no_browser=wish.no_browser)
        body |= {"code": code.code, "code_verifier": code.verifier}
        return client.post("/v1/login/token", body)
    except ApiError as error:
        # "Run plane login" would be no help to somebody who just did.
        error.hint = ""
        raise


def _password(user: str) -> str:
    path = os.environ.get("PLANE_PASSWORD_FILE")
    if path:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    import click

    if not sys.stdin.isatty():
        hint = "Run it in a terminal, or name a file in PLANE_PASSWORD_FILE."
        raise CliError("a password is needed and nobody can type it", hint=hint)
    return str(click.prompt(f"Password of {user}", hide_input=True, err=True))


def _filled(profile: Profile, answer: Document) -> Profile:
    session = mapping(answer.get("session"))
    certificate = str(answer.get("certificate") or "")
    begin, end = _valid(certificate) if certificate else (0.0, 0.0)
    roles = answer.get("roles")
    token = str(answer.get("token") or "")
    if not (token or certificate):
        raise CliError(f"{profile.proxy} did not answer as plane does")
    return replace(
        profile,
        user=str(answer.get("user") or session.get("user") or ""),
        connector=str(session.get("connector") or profile.connector),
        roles=tuple(str(role) for role in roles) if isinstance(roles, list) else (),
        token=token,
        expires=_instant(session.get("expires") or answer.get("expires")),
        certificate_pem=certificate,
        certificate_issued=begin,
        certificate_expires=end,
    )


def _valid(certificate: str) -> tuple[float, float]:
    try:
        begin, end = validity(certificate)
    except ValueError:
        raise CliError("the server's answer holds no certificate") from None
    # Certificates begin earlier than now, for clocks that are late.
    return max(begin, time.time()), end


def _instant(value: object) -> float:
    try:
        return from_rfc3339(str(value))
    except ValueError:
        raise CliError(f"the server's answer holds no time: {value!r}") from None
