"""What a command-line client may ask of a login: RFC 8252 (native apps) and RFC 7636 (PKCE). Pure.

A code may go to the asking machine only: to a literal loopback address (the name `localhost` can
be made to mean another machine), or onto the page for the person to copy.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from plane.errors import BadRequest

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})/callback")
# A SHA-256 in base64url has 43 characters; RFC 7636 4.1 allows verifiers of 43 to 128.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_STATE = re.compile(r"[\x21-\x7e]{1,512}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A checked request of the command line."""

    redirect_uri: str
    state: str = field(repr=False)
    challenge: str = field(repr=False)

    @property
    def out_of_band(self) -> bool:
        """Whether the person copies the code from the page."""
        return self.redirect_uri == OUT_OF_BAND

    @property
    def form_action(self) -> str:
        """Where a form of this login may lead, as a source of a Content-Security-Policy."""
        if self.out_of_band:
            return ""
        # A policy cannot name an IPv6 address, so there the scheme has to do.
        host = self.redirect_uri.removesuffix("/callback")
        return "http:" if "[" in host else host

    def answer(self, code: str) -> str:
        """The loopback address with code and state, for the browser to go to."""
        return f"{self.redirect_uri}?{urlencode({'code': code, 'state': self.state})}"


def asked(params: Mapping[str, str]) -> Asked:
    """Check the parameters of /v1/login/authorize; BadRequest says which one is wrong."""
    redirect_uri = params.get("redirect_uri", "")
    if redirect_uri != OUT_OF_BAND and not _is_loopback(redirect_uri):
        raise BadRequest(
            "redirect_uri must be http://127.0.0.1:<port>/callback or http://[::1]:<port>/callback."
        )
    if params.get("code_challenge_method") != "S256":
        raise BadRequest("code_challenge_method must be S256.")
    challenge = params.get("code_challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        raise BadRequest("code_challenge must be the base64url of a SHA-256.")
    state = params.get("state", "")
    if not _STATE.fullmatch(state):
        raise BadRequest("state is missing, too long, or not printable.")
    return Asked(redirect_uri=redirect_uri, state=state, challenge=challenge)


def proves(verifier: str, challenge: str) -> bool:
    """Whether the verifier is the one that the challenge was made from (RFC 7636 4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())


def _is_loopback(uri: str) -> bool:
    match = _LOOPBACK.fullmatch(uri)
    return match is not None and int(match[2]) <= 65535
