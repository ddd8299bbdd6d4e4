"""Which CA stands for a server at the first login: a file, a pin, the system's, or a person's yes.

A pin is `sha256:` and the hex SHA-256 of the CA's SubjectPublicKeyInfo (DER), as Teleport's; the
server prints it when it starts. The key is pinned, so the pin outlives a renewed certificate.
"""

import hashlib
import hmac
import ssl
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from cli.client import Client, connect, connection_errors
from cli.errors import CliError, ExitCode


def ca_for(proxy: str, *, ca_file: Path | None, pin: str, known_pem: str) -> str:
    """The PEM to trust for this server, "" for the system's roots; CliError when nothing fits."""
    if ca_file:
        return _from_file(ca_file)
    if pin:
        return _pinned(proxy, pin)
    if known_pem and _verifies(proxy, known_pem):
        return known_pem
    if _verifies(proxy, ""):
        return ""
    return _confirmed(proxy)


def fingerprint(pem: str) -> str:
    """The pin of a CA certificate."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256:" + hashlib.sha256(der).hexdigest()


def _from_file(path: Path) -> str:
    try:
        pem = path.read_text("ascii")
        ssl.create_default_context(cadata=pem)
    except (OSError, ValueError) as error:
        raise CliError(f"{path} holds no CA certificate: {error}", code=ExitCode.USAGE) from None
    return pem


def _pinned(proxy: str, pin: str) -> str:
    wanted = "sha256:" + pin.lower().removeprefix("sha256:").replace(":", "")
    for pem in _presented(proxy):
        if hmac.compare_digest(fingerprint(pem).encode(), wanted.encode()):
            return pem
    raise CliError(
        f"no CA that {proxy} shows has the pin {wanted}",
        hint="Compare it with what `plane start` printed; somebody may stand in between.",
        code=ExitCode.UNREACHABLE,
    )


def _verifies(proxy: str, pem: str) -> bool:
    try:
        Client(proxy=proxy, ca_pem=pem, timeout_seconds=15).get("/v1/ping")
    except CliError as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return False
        raise
    return True


def _confirmed(proxy: str) -> str:
    """Trust on first use, only by a person at a terminal who compared the fingerprint."""
    shown = _presented(proxy)
    hint = "Give `--ca-pin sha256:...` (printed by `plane start`) or `--ca-file ca.pem`."
    if not shown or not (sys.stdin.isatty() and sys.stderr.isatty()):
        message = f"the certificate of {proxy} is not publicly trusted"
        raise CliError(message, hint=hint, code=ExitCode.UNREACHABLE)
    import click

    print(f"{proxy} has its own certificate authority:", file=sys.stderr)
    print(f"  {fingerprint(shown[-1])}", file=sys.stderr)
    if not click.confirm("Is this the pin that your administrator gave you?", err=True):
        raise CliError("the server is not trusted", hint=hint, code=ExitCode.UNREACHABLE)
    return shown[-1]


def _presented(proxy: str) -> list[str]:
    """The chain that the server shows, leaf first. Nothing is sent: the peer is not verified yet.

    What is trusted afterwards is a pinned or confirmed certificate, as the only root.
    """
    parts = urlsplit(proxy)
    connection = connect(parts, ca_pem="", timeout_seconds=15, insecure_any=True)
    with connection_errors(proxy), closing(connection):
        connection.connect()
        return [ssl.DER_cert_to_PEM_cert(der) for der in _chain(connection.sock)]


def _chain(sock: ssl.SSLSocket) -> list[bytes]:
    if sys.version_info >= (3, 13):
        return list(sock.get_unverified_chain())
    # Public only since 3.13; the same call has been in the C object since 3.10.
    chain = sock._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # noqa: SLF001
    import _ssl

    return [certificate.public_bytes(_ssl.ENCODING_DER) for certificate in chain]
