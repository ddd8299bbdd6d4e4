"""What is taken from a certificate request: its public key, and nothing else."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from plane.errors import BadRequest

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
_MAX_BYTES = 16 * 1024


def requested_key(csr_pem: str | bytes) -> PublicKey:
    """The key of a PKCS#10 request; names and extensions in it are ignored.

    BadRequest when it cannot be read, is not signed by its own key, or the key is too weak.
    """
    data = csr_pem.encode("utf-8", "replace") if isinstance(csr_pem, str) else csr_pem
    if len(data) > _MAX_BYTES:
        raise BadRequest("The certificate request is larger than 16 KiB.")
    try:
        request = x509.load_pem_x509_csr(data)
        key = _acceptable(request.public_key())
        # Proof of possession: nobody gets a certificate for another person's key.
        signed = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise BadRequest("The certificate request cannot be read.", detail=str(error)) from error
    if not signed:
        raise BadRequest("The certificate request is not signed by its own key.")
    return key


def _acceptable(key: object) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(
        key.curve, ec.SECP256R1 | ec.SECP384R1
    ):
        return key
    # The upper bound: a key of 16,384 bits costs the server, not the client, at each handshake.
    if isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 4096:
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise BadRequest("The key must be ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits.")
