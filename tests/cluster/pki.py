"""The certificates of a throw-away cluster."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def write_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Make a P-256 key and write it for its owner only."""
    key = ec.generate_private_key(ec.SECP256R1())
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return key


class Authority:
    """A certificate authority in a folder: ca.crt, ca.key and what it signed."""

    def __init__(self, folder: Path, common_name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._key = write_key(folder / "ca.key")
        builder = self._builder(_name(common_name), self._key.public_key())
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self._certificate = self._sign(folder / "ca.crt", builder.issuer_name(_name(common_name)))

    def issue(
        self, name: str, *, common: str, organization: str = "", names: Sequence[str] = ()
    ) -> tuple[Path, Path]:
        """Write NAME.crt and NAME.key, good for servers (`names`) and clients, and return their paths."""
        key = write_key(self.folder / f"{name}.key")
        builder = self._builder(_name(common, organization), key.public_key())
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        alternatives = x509.SubjectAlternativeName([_san(each) for each in names or (name,)])
        builder = builder.add_extension(alternatives, critical=False)
        self._sign(self.folder / f"{name}.crt", builder.issuer_name(self._certificate.subject))
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )

    def _sign(self, path: Path, builder: x509.CertificateBuilder) -> x509.Certificate:
        certificate = builder.sign(self._key, hashes.SHA256())
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return certificate
