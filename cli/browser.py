"""Logging in through the browser: authorization code with PKCE (RFC 7636, RFC 8252)."""

import base64
import hashlib
import os
import secrets
import shlex
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlencode

from cli.errors import CliError, ExitCode

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
_TIMEOUT_SECONDS = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An authorization code and the verifier that only this process has."""

    code: str
    verifier: str


def browser_usable() -> bool:
    """Whether a browser on this machine would be seen by the person at this terminal."""
    environment = os.environ
    if environment.get("PLANE_NO_BROWSER"):
        return False
    display = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    if environment.get("BROWSER") or display:
        return True
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    return sys.platform in ("darwin", "win32")


def authorize(proxy: str, *, connector: str, no_browser: bool) -> Code:
    """Send the person to the login page and return the code that comes back.

    Without a browser here, the page shows the code and the person pastes it.
    """
    verifier = secrets.token_urlsafe(48)
    if no_browser or not browser_usable():
        return Code(code=_pasted(proxy, connector=connector, verifier=verifier), verifier=verifier)
    return Code(code=_called_back(proxy, connector=connector, verifier=verifier), verifier=verifier)


def _called_back(proxy: str, *, connector: str, verifier: str) -> str:
    from cli.loopback import listening

    state = secrets.token_urlsafe(24)
    with listening(state) as server:
        url = _address(
            proxy, redirect=server.redirect_uri, state=state, verifier=verifier, connector=connector
        )
        _say(f"Log in with your browser. If it does not open, open this address:\n  {url}")
        open_browser(url)
        callback = server.wait(_TIMEOUT_SECONDS)
    if callback is None:
        hint = "Try again, or use `plane login --no-browser`."
        raise CliError("nobody logged in within 3 minutes", hint=hint)
    if callback.error:
        why = callback.description or callback.error
        raise CliError(f"the login was refused: {why}", code=ExitCode.DENIED)
    return callback.code


def _pasted(proxy: str, *, connector: str, verifier: str) -> str:
    import click

    url = _address(
        proxy,
        redirect=OUT_OF_BAND,
        state=secrets.token_urlsafe(24),
        verifier=verifier,
        connector=connector,
    )
    _say(f"Open this address in any browser and log in:\n  {url}")
    return str(click.prompt("Paste the code that the page shows", err=True, type=str)).strip()


def _address(proxy: str, *, redirect: str, state: str, verifier: str, connector: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "redirect_uri": redirect,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if connector:
        query["connector"] = connector
    return f"{proxy}/v1/login/authorize?{urlencode(query)}"


def open_browser(url: str) -> None:
    """Start $BROWSER, or the system's browser, apart from our stdout (kubectl reads that)."""
    wish = os.environ.get("BROWSER", "").split(os.pathsep)[0]
    command = [sys.executable, "-m", "webbrowser", url]
    if wish:
        parts = shlex.split(wish)
        command = [part.replace("%s", url) for part in parts]
        command += [] if "%s" in wish else [url]
    try:
        subprocess.Popen(  # noqa: S603 - the person's own BROWSER, and no shell reads the address
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        _say(f"({command[0]} does not start: {error.strerror})")


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
