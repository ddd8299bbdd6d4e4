"""The TLS settings towards a cluster, from the PEM texts that it was registered with."""

import os
import ssl
import tempfile
from pathlib import Path


def client_context(
    *,
    ca_pem: str | None,
    certificate_pem: str | None,
    key_pem: str | None,
    insecure_skip_tls_verify: bool = False,
) -> ssl.SSLContext:
    """Trust `ca_pem` (None: the system's authorities) and present the certificate, if any.

    ssl.SSLError or ValueError when the texts are not what they should be.
    """
    context = ssl.create_default_context(cadata=ca_pem) if ca_pem else ssl.create_default_context()
    if insecure_skip_tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    # The pool speaks HTTP/1.1: one connection carries one person's request at a time.
    context.set_alpn_protocols(["http/1.1"])
    if certificate_pem and key_pem:
        _load(context, certificate_pem + "\n" + key_pem)
    return context


def _load(context: ssl.SSLContext, chain_and_key: str) -> None:
    """`load_cert_chain` reads files only; this one is ours alone (0600) and gone at once."""
    handle, name = tempfile.mkstemp(prefix="plane-", suffix=".pem")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(chain_and_key)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
