"""What a user certificate may say, and which ones are believed."""

import datetime as dt
import ssl
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from plane.errors import BadRequest, PlaneError
from plane.identity.certificates import HostCA, UserCA
from plane.identity.session import Session

PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER


def session(hands, **changes):
    values = {
        "id": "7c0e",
        "user": "alice",
        "connector": "local",
        "subject": "alice",
        "created": hands.seconds,
        "expires": hands.seconds + 3600,
    }
    return Session(**(values | changes))


def request_for(key, *, name="system:masters", algorithm=None):
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, name),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            ]
        )
    )
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.UniformResourceIdentifier("plane://session/other")]),
        critical=False,
    ).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key, algorithm or hashes.SHA256()).public_bytes(PEM).decode()


@pytest.fixture
def key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def authority(tmp_path, hands):
    return UserCA.load_or_make(tmp_path / "ca", hands.clock)


def leaf(pem):
    return x509.load_pem_x509_certificate(pem.encode())


def der(pem):
    return leaf(pem).public_bytes(DER)


def test_a_signed_certificate_names_its_session(authority, hands, key):
    pem = authority.sign(request_for(key), session(hands))
    assert authority.session_id(der(pem)) == "7c0e"


def test_nothing_of_the_request_but_its_key_is_taken_over(authority, hands, key):
    """A request may ask to be a CA, in system:masters, for another session."""
    certificate = leaf(authority.sign(request_for(key), session(hands)))
    extensions = certificate.extensions
    assert certificate.subject.rfc4514_string() == "CN=7c0e"
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [n.value for n in names] == ["plane://session/7c0e"]
    assert certificate.public_key() == key.public_key()


def test_the_certificate_ends_with_the_session(authority, hands, key):
    certificate = leaf(authority.sign(request_for(key), session(hands)))
    assert certificate.not_valid_after_utc.timestamp() == hands.seconds + 3600


def test_an_expired_certificate_names_nobody(authority, hands, key):
    pem = authority.sign(request_for(key), session(hands))
    hands.advance(3601)
    assert authority.session_id(der(pem)) is None


def test_a_certificate_of_a_foreign_ca_with_the_same_name_names_nobody(
    authority, hands, key, tmp_path
):
    foreign = UserCA.load_or_make(tmp_path / "foreign", hands.clock)
    assert authority.session_id(der(foreign.sign(request_for(key), session(hands)))) is None


def test_the_host_cas_certificates_are_no_identity(authority, hands, tmp_path):
    host = HostCA.load_or_make(tmp_path / "ca", hands.clock)
    path, _ = host.server_certificate(["127.0.0.1"])
    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    assert authority.session_id(certificate.public_bytes(DER)) is None


def forged(authority, hands, key, *, usage=ExtendedKeyUsageOID.CLIENT_AUTH, names=(), ca=False):
    """A certificate that our CA did sign, but not through `sign`."""
    now = dt.datetime.fromtimestamp(hands.seconds, dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority._certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
    )
    if names:
        uris = [x509.UniformResourceIdentifier(name) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(uris), critical=False)
    return builder.sign(authority._key, hashes.SHA256()).public_bytes(DER)


@pytest.mark.parametrize(
    "changes",
    [
        {"names": ["plane://session/7c0e"], "usage": ExtendedKeyUsageOID.SERVER_AUTH},
        {"names": ["plane://session/7c0e"], "ca": True},
        {"names": ["plane://session/7c0e", "plane://session/other"]},
        {"names": ["https://session/7c0e"]},
        {"names": ["plane://session/"]},
        {"names": []},
    ],
    ids=["server use", "a ca", "two sessions", "other scheme", "empty id", "no name"],
)
def test_a_certificate_of_another_shape_names_nobody(authority, hands, key, changes):
    assert authority.session_id(forged(authority, hands, key, **changes)) is None


@pytest.mark.parametrize("data", [b"", b"\x30\x03\x02\x01\x01", b"\xff" * 100, b"0" * 100_000])
def test_garbage_names_nobody(authority, data):
    assert authority.session_id(data) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 1024),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: ec.generate_private_key(ec.SECP192R1()),
        lambda: dsa.generate_private_key(2048),
    ],
    ids=["rsa 1024", "secp256k1", "p-192", "dsa"],
)
def test_a_weak_or_unusual_key_is_refused(authority, hands, make):
    with pytest.raises(BadRequest):
        authority.sign(request_for(make()), session(hands))


@pytest.mark.parametrize(
    "make",
    [
        lambda: (rsa.generate_private_key(65537, 2048), None),
        lambda: (ec.generate_private_key(ec.SECP384R1()), None),
    ],
    ids=["rsa 2048", "p-384"],
)
def test_other_strong_keys_are_welcome(authority, hands, make):
    made, _ = make()
    pem = authority.sign(request_for(made), session(hands))
    assert authority.session_id(der(pem)) == "7c0e"


def test_an_ed25519_key_is_welcome(authority, hands):
    made = ed25519.Ed25519PrivateKey.generate()
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(made, None)
    pem = authority.sign(csr.public_bytes(PEM), session(hands))
    assert authority.session_id(der(pem)) == "7c0e"


def test_a_request_not_signed_by_its_own_key_is_refused(authority, hands, key):
    """Otherwise anybody gets a certificate for a key that is not theirs."""
    raw = bytearray(x509.load_pem_x509_csr(request_for(key).encode()).public_bytes(DER))
    raw[-1] ^= 1
    broken = ssl.DER_cert_to_PEM_cert(bytes(raw)).replace("CERTIFICATE", "CERTIFICATE REQUEST")
    with pytest.raises(BadRequest):
        authority.sign(broken, session(hands))


@pytest.mark.parametrize(
    "text", ["", "not pem", "-----BEGIN CERTIFICATE REQUEST-----\nAA", "x" * 20000]
)
def test_a_request_that_cannot_be_read_is_refused(authority, hands, text):
    with pytest.raises(BadRequest):
        authority.sign(text, session(hands))


def test_the_ca_is_the_same_after_a_restart(authority, hands, key, tmp_path):
    pem = authority.sign(request_for(key), session(hands))
    again = UserCA.load_or_make(tmp_path / "ca", hands.clock)
    assert again.session_id(der(pem)) == "7c0e"
    assert again.pin == authority.pin


def test_the_pin_outlives_a_renewed_ca_certificate(authority, hands, tmp_path):
    (tmp_path / "ca" / "user-ca.pem").unlink()
    assert UserCA.load_or_make(tmp_path / "ca", hands.clock).pin == authority.pin


def test_user_ca_and_host_ca_share_no_key(authority, hands, tmp_path):
    assert HostCA.load_or_make(tmp_path / "ca", hands.clock).pin != authority.pin


def test_keys_are_readable_by_their_owner_only(authority, hands, tmp_path):
    HostCA.load_or_make(tmp_path / "ca", hands.clock).server_certificate(["localhost"])
    for path in (tmp_path / "ca").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700


def test_a_key_that_everybody_can_read_is_not_used(authority, hands, tmp_path):
    (tmp_path / "ca" / "user-ca.key").chmod(0o644)
    with pytest.raises(PlaneError, match="chmod 600"):
        UserCA.load_or_make(tmp_path / "ca", hands.clock)


def test_the_host_certificate_serves_its_names_and_is_trusted_by_its_ca(hands, tmp_path):
    host = HostCA.load_or_make(tmp_path, hands.clock)
    certificate_path, key_path = host.server_certificate(["127.0.0.1", "::1", "plane.example.com"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path, key_path)
    chain = x509.load_pem_x509_certificates(certificate_path.read_bytes())
    names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(n.value) for n in names] == ["127.0.0.1", "::1", "plane.example.com"]
    assert chain[1].public_bytes(PEM).decode() == host.pem


def test_the_host_certificate_is_kept_until_it_nears_its_end(hands, tmp_path):
    host = HostCA.load_or_make(tmp_path, hands.clock)
    path, _ = host.server_certificate(["localhost"])
    first = path.read_bytes()
    hands.advance(50 * 86400)
    assert host.server_certificate(["localhost"])[0].read_bytes() == first
    hands.advance(15 * 86400)
    assert host.server_certificate(["localhost"])[0].read_bytes() != first


def test_the_host_certificate_is_remade_for_other_names(hands, tmp_path):
    host = HostCA.load_or_make(tmp_path, hands.clock)
    first = host.server_certificate(["localhost"])[0].read_bytes()
    assert host.server_certificate(["localhost", "plane"])[0].read_bytes() != first
