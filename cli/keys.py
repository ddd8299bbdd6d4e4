"""The key that never leaves this machine, and the request to certify it."""


def key_and_request() -> tuple[str, str]:
    """Make an EC P-256 key and a PKCS #10 request for it; returns (key PEM, CSR PEM).

    The request's subject says nothing: the server takes the identity from the login, not from it.
    """
    # Slow to import, and only a login needs it.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plane")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    csr = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return key_pem.decode(), csr.decode()


def validity(certificate_pem: str) -> tuple[float, float]:
    """When a certificate begins and ends, in UTC epoch seconds."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begin.timestamp(), end.timestamp()
