"""The TLS side of the listener: settings, client certificates, and reloading changed files."""

import ssl
from collections.abc import Callable
from pathlib import Path

from plane.proxy.call import Peer


def server_context(*, certificate: Path, key: Path, client_ca: Path) -> ssl.SSLContext:
    """TLS 1.2 and later, HTTP/1.1 by ALPN, client certificates of our user CA if presented."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(client_ca)
    # Optional: browsers and token clients have none. A certificate that is presented must be good.
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    # A ticket seals the client's certificate, which costs 0.36 ms; kubectl never resumes.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


class ReloadingContext:
    """Loads the certificate files again when they have changed, without a restart."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path) -> None:
        self._files = (certificate, key)
        self.context = server_context(certificate=certificate, key=key, client_ca=client_ca)
        self._stamp = self._read_stamp()

    def refresh(self) -> bool:
        """Load changed files into the living context; True when they had changed."""
        stamp = self._read_stamp()
        if stamp == self._stamp:
            return False
        certificate, key = self._files
        self.context.load_cert_chain(certificate, key)
        self._stamp = stamp
        return True

    def _read_stamp(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in self._files)


def peer_of(transport: object, session_id: Callable[[bytes], str | None]) -> Peer:
    """Address and certificate's session of an accepted transport; read once per connection."""
    extra: Callable[[str], object] = transport.get_extra_info  # type: ignore[attr-defined]
    address = extra("peername")
    host = str(address[0]) if isinstance(address, tuple) and address else ""
    tls = extra("ssl_object")
    if not isinstance(tls, ssl.SSLObject):
        return Peer(address=host, secure=False)
    # The DER bytes: the dict form loses fields and costs ten times as much.
    der = tls.getpeercert(binary_form=True)
    return Peer(address=host, session_id=session_id(der) if der else None)
