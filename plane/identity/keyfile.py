"""Private keys on disk: made once, readable by the owner only, replaced in one step."""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from plane.errors import PlaneError


def load_or_make_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The ECDSA P-256 key in `path`, made at the first call; PlaneError when it is not private."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        save(path, _pem(ec.generate_private_key(ec.SECP256R1())))
    # The group is let through: Kubernetes' fsGroup adds it to every file of a volume.
    if stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO:
        raise PlaneError(f"{path} can be read by everybody; run: chmod 600 {path}")
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PlaneError(f"{path} does not hold an ECDSA key")
    return key


def save(path: Path, data: bytes) -> None:
    """Write `data` with mode 0600, whole or not at all, also across a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    # O_EXCL: a file or link that somebody else laid there is not written through.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
