"""Secrets at rest: AES-256-GCM with a key that lies in a file of its own, never in the database.

A sealed text is bound to its place (`oidc/okta spec.client_secret`): moved to another document
it does not open.
"""

import base64
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from plane.errors import PlaneError

PREFIX = "sealed:v1:"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class SecretBox:
    """Seals and opens texts with one key."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "<SecretBox>"

    @classmethod
    def load_or_make(cls, path: Path) -> "SecretBox":
        """Read the key file (base64 of 32 bytes, mode 0600), making it the first time."""
        if not path.exists():
            _make(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise PlaneError(f"the key file {path} is readable by others: run chmod 600 {path}")
        try:
            key = base64.b64decode(path.read_bytes().strip(), validate=True)
        except ValueError as error:
            raise PlaneError(f"the key file {path} is not base64") from error
        if len(key) != _KEY_BYTES:
            raise PlaneError(f"the key file {path} does not hold {_KEY_BYTES} bytes in base64")
        return cls(key)

    def seal(self, text: str, *, place: str) -> str:
        """Encrypt; the same text seals differently each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), place.encode())
        return PREFIX + base64.b64encode(sealed).decode()

    def open(self, sealed: str, *, place: str) -> str:
        """Decrypt; PlaneError when key, place or text is not the one it was sealed with."""
        try:
            raw = base64.b64decode(sealed.removeprefix(PREFIX), validate=True)
            text = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode())
        except (ValueError, InvalidTag) as error:
            raise PlaneError(
                f"the secret of {place} cannot be decrypted: is the key file the one it was "
                "stored with?"
            ) from error
        return text.decode()


def is_sealed(value: object) -> bool:
    """Whether a value is a sealed text."""
    return isinstance(value, str) and value.startswith(PREFIX)


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(handle)
