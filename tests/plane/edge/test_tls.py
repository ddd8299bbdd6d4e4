"""Client certificates over real handshakes: who is believed, who is cut off."""

import asyncio
import os
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from loopback.client import connected

from plane.clock import SYSTEM, Clock
from plane.edge.listener import Listener
from plane.edge.tls import ReloadingContext, peer_of, server_context
from plane.identity.certificates import HostCA, UserCA
from plane.identity.session import Session

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class House:
    def __init__(self, folder, clock=SYSTEM):
        self.folder = folder
        self.user_ca = UserCA.load_or_make(folder / "ca", clock)
        self.host_ca = HostCA.load_or_make(folder / "ca")
        self.certificate, self.key = self.host_ca.server_certificate(["127.0.0.1"])
        self.ca_file = folder / "user-ca-copy.pem"
        self.ca_file.write_text(self.user_ca.pem)

    def credential(self, *, ca=None, session_id="s1", life=3600.0):
        """A file with a client certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        pem = csr.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        now = SYSTEM.now()
        session = Session(
            id=session_id, user="joe", connector="c", subject="j", created=now, expires=now + life
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path = self.folder / "client.pem"
        path.write_bytes((ca or self.user_ca).sign(pem, session).encode() + secret)
        return path

    def client(self, credential=None):
        context = ssl.create_default_context(cadata=self.host_ca.pem)
        if credential is not None:
            context.load_cert_chain(credential)
        return context

    async def peers(self, client):
        """The peer that the listener makes of a client; the client's own error, if any."""
        found = []

        async def serve(call):
            found.append(call.peer)
            call.reply.head(200, [], length=0)
            call.reply.end()

        context = server_context(certificate=self.certificate, key=self.key, client_ca=self.ca_file)
        listener = Listener(serve, lambda transport: peer_of(transport, self.user_ca.session_id))
        port = await listener.open("127.0.0.1", 0, context)
        try:
            async with connected(port, client) as connection:
                await connection.ask(GET)
                tls = connection.writer.get_extra_info("ssl_object")
                return found, tls
        finally:
            await listener.close(grace_seconds=0)


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


async def test_a_certificate_of_ours_names_its_session(house):
    [peer], tls = await house.peers(house.client(house.credential()))
    assert (peer.session_id, peer.address, peer.secure) == ("s1", "127.0.0.1", True)
    assert tls.version() in ("TLSv1.2", "TLSv1.3")


async def test_a_client_without_a_certificate_is_nobody_yet(house):
    """Browsers and token clients."""
    [peer], _ = await house.peers(house.client())
    assert (peer.session_id, peer.secure) == (None, True)


@pytest.mark.parametrize("what", ["foreign", "host_ca", "expired"])
async def test_a_certificate_that_is_not_good_ends_the_handshake(house, tmp_path, what):
    if what == "foreign":
        credential = house.credential(ca=UserCA.load_or_make(tmp_path / "other"))
    elif what == "expired":
        past = Clock(now=lambda: SYSTEM.now() - 7200)
        old = UserCA.load_or_make(tmp_path / "ca", past)
        credential = house.credential(ca=old, life=-3600)
    else:
        credential = house.certificate
    context = house.client()
    context.load_cert_chain(credential, house.key if what == "host_ca" else None)
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await house.peers(context)


async def test_plain_text_is_told_apart(house):
    found = []

    async def serve(call):
        found.append(call.peer)
        call.reply.head(200, [], length=0)
        call.reply.end()

    listener = Listener(serve, lambda transport: peer_of(transport, house.user_ca.session_id))
    port = await listener.open("127.0.0.1", 0, None)
    async with connected(port) as client:
        await client.ask(GET)
    await listener.close(grace_seconds=0)
    assert (found[0].session_id, found[0].secure) == (None, False)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_versions_from_1_2_on_and_http_1_1_only(house, version):
    client = house.client()
    client.minimum_version = client.maximum_version = version
    client.set_alpn_protocols(["h2", "http/1.1"])
    _, tls = await house.peers(client)
    assert tls.selected_alpn_protocol() == "http/1.1"


def test_old_versions_and_renegotiation_are_off(house):
    context = server_context(certificate=house.certificate, key=house.key, client_ca=house.ca_file)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.verify_mode == ssl.CERT_OPTIONAL
    assert context.num_tickets == 0


def test_changed_files_are_loaded_into_the_living_context(house):
    reloading = ReloadingContext(house.certificate, house.key, house.ca_file)
    living = reloading.context
    assert not reloading.refresh()
    os.utime(house.certificate, ns=(1, 1))
    assert reloading.refresh()
    assert not reloading.refresh()
    assert reloading.context is living
