from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from plane.resources.service import Resources
from plane.store.memory import MemoryStore
from plane.store.secrets import SecretBox


@pytest.fixture
async def store():
    store = MemoryStore()
    yield store
    await store.close()


@pytest.fixture
def resources(store):
    return Resources(store, SecretBox(b"k" * 32))


class Pems:
    """A CA certificate and a client certificate with its key, as texts."""

    def __init__(self):
        self.ca, _ = _certificate("ca")
        self.certificate, self.key = _certificate("plane")
        _, self.other_key = _certificate("other")


def _certificate(name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2050, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(pem).decode(), private.decode()


@pytest.fixture(scope="session")
def pems():
    return Pems()
