"""The user CA signs who may come in, the host CA who plane is; their keys never meet.

A user certificate only names a session (SAN URI `plane://session/<id>`); roles are read from the
live session, so nothing about rights is frozen into it.
"""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from plane.clock import SYSTEM, Clock
from plane.identity.csr import PublicKey, requested_key
from plane.identity.keyfile import load_or_make_key, save
from plane.identity.session import Session

_SESSION_URI = "plane://session/"
_CA_YEARS = 10
# Clocks of clients run late; a certificate that is not valid yet locks its owner out.
_SKEW = timedelta(seconds=60)
_HOST_LIFE = timedelta(days=90)
_HOST_RENEW = timedelta(days=30)
_MAX_CERTIFICATE_BYTES = 16 * 1024


class _Authority:
    """A self-made CA of one key in one folder."""

    _stem: str
    _title: str

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        certificate: x509.Certificate,
        *,
        folder: Path,
        clock: Clock,
    ) -> None:
        self._folder = folder
        self._key = key
        self._certificate = certificate
        self._clock = clock

    @classmethod
    def load_or_make(cls, folder: Path, clock: Clock = SYSTEM) -> Self:
        """The CA kept in `folder`, made at the first start; PlaneError when others may read it."""
        key = load_or_make_key(folder / f"{cls._stem}.key")
        path = folder / f"{cls._stem}.pem"
        if path.exists():
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        else:
            certificate = _self_signed(key, title=cls._title, clock=clock)
            save(path, certificate.public_bytes(serialization.Encoding.PEM))
        return cls(key, certificate, folder=folder, clock=clock)

    @property
    def pem(self) -> str:
        """The CA's certificate, to verify against."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def pin(self) -> str:
        """`sha256:<hex>` of the CA's SubjectPublicKeyInfo (DER), as Teleport's --ca-pin.

        The key is pinned and not the certificate, so that the pin outlives a renewed one.
        """
        spki = self._certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashes.Hash(hashes.SHA256())
        digest.update(spki)
        return f"sha256:{digest.finalize().hex()}"

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def _leaf(
        self, public_key: PublicKey, *, name: str, not_after: datetime
    ) -> x509.CertificateBuilder:
        end = min(not_after, self._certificate.not_valid_after_utc)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(_common_name(name))
            .issuer_name(self._certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now() - _SKEW)
            .not_valid_after(end.replace(microsecond=0))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .add_extension(identifier, critical=False)
        )


class UserCA(_Authority):
    """Signs the client certificates that name sessions, and reads them back."""

    _stem = "user-ca"
    _title = "plane user CA"

    def sign(self, csr_pem: str | bytes, session: Session) -> str:
        """A client certificate (PEM) for the request's key, valid as long as the session.

        Everything else in the request is ignored: names and extensions are plane's to say.
        BadRequest when the request is not signed by its own key, or the key is weak.
        """
        end = datetime.fromtimestamp(session.expires, UTC)
        certificate = (
            # The common name travels unencrypted in TLS 1.2, so it is not the person's name.
            self._leaf(requested_key(csr_pem), name=session.id, not_after=end)
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.UniformResourceIdentifier(_SESSION_URI + session.id)]
                ),
                critical=False,
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    def session_id(self, der: bytes) -> str | None:
        """The session that a client certificate names; None when it is not one of ours or over.

        The TLS layer verifies the chain too; this stands alone, so that a listener set up wrong
        does not turn any certificate into an identity.
        """
        if len(der) > _MAX_CERTIFICATE_BYTES:
            return None
        try:
            certificate = x509.load_der_x509_certificate(der)
            certificate.verify_directly_issued_by(self._certificate)
            return self._named_session(certificate)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion):
            return None
        except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            return None

    def _named_session(self, certificate: x509.Certificate) -> str | None:
        now = self._now()
        if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            return None
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if list(usage) != [ExtendedKeyUsageOID.CLIENT_AUTH] or constraints.ca:
            return None
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        if len(names) != 1 or len(uris) != 1 or not uris[0].startswith(_SESSION_URI):
            return None
        return uris[0].removeprefix(_SESSION_URI) or None


class HostCA(_Authority):
    """Signs the listener's own certificate for a first day without any PKI."""

    _stem = "host-ca"
    _title = "plane host CA"

    def server_certificate(self, names: Sequence[str]) -> tuple[Path, Path]:
        """Paths of certificate chain and key for `names` (host names and IP addresses).

        One file holds both, so that a renewal replaces them in one step. Call it again (daily):
        it is rewritten 30 days before its end or when the names change.
        """
        path = self._folder / "host.pem"
        if not self._still_good(path, names):
            save(path, self._host_pem(names))
        return path, path

    def _host_pem(self, names: Sequence[str]) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._leaf(key.public_key(), name="plane", not_after=self._now() + _HOST_LIFE)
            .add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]),
                critical=False,
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        # The CA goes along, so that a client can compare the pin with what the listener shows.
        return secret + certificate.public_bytes(serialization.Encoding.PEM) + self.pem.encode()

    def _still_good(self, path: Path, names: Sequence[str]) -> bool:
        try:
            certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
            certificate.verify_directly_issued_by(self._certificate)
            present = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        wanted = x509.SubjectAlternativeName([_general_name(name) for name in names])
        renew_at = certificate.not_valid_after_utc - _HOST_RENEW
        return present.value == wanted and self._now() < renew_at


def _self_signed(key: ec.EllipticCurvePrivateKey, *, title: str, clock: Clock) -> x509.Certificate:
    now = datetime.fromtimestamp(clock.now(), UTC)
    name = _common_name(title)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=365 * _CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
