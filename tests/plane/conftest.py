"""Identity's services around a store in memory, as app.py wires them, with a clock the test moves."""

import base64
import hashlib
from dataclasses import dataclass, field
from types import SimpleNamespace

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from quart import Quart

from connectors.local import LocalConnector
from plane.api import errors
from plane.api import login as login_api
from plane.api import session as session_api
from plane.api import users as users_api
from plane.api.access import Access
from plane.api.caller import caller_of
from plane.clock import Clock
from plane.errors import EvidenceUnavailable
from plane.identity.attempts import Attempts
from plane.identity.certificates import UserCA
from plane.identity.credentials import Credentials
from plane.identity.invites import Invites
from plane.identity.journal import Journal
from plane.identity.localauth import LocalAuth
from plane.identity.login import Login
from plane.identity.passwords import Passwords
from plane.identity.providers import Providers
from plane.identity.session import Client
from plane.identity.sessions import Sessions
from plane.identity.userchanges import UserChanges
from plane.identity.users import LocalUsers
from plane.resources.connectors import LiveConnectors
from plane.resources.policies import LivePolicies
from plane.resources.service import Resources
from plane.store.memory import MemoryStore
from plane.store.secrets import SecretBox
from plane.web import pages
from plane.web.trust import EdgeTrust

URL = "https://plane.example.com"
PASSWORD = "correct horse battery"
ROLES = """\
kind: role
version: v8
metadata: {name: access}
spec: {allow: {kubernetes_labels: {'*': '*'}}}
---
kind: role
version: v8
metadata: {name: editor}
spec: {allow: {rules: [{resources: ['*'], verbs: ['*']}]}}
---
kind: role
version: v8
metadata: {name: auditor}
spec: {allow: {rules: [{resources: [audit], verbs: [list, read]}]}}
---
kind: role
version: v8
metadata: {name: brief}
spec: {options: {max_session_ttl: 10m}, allow: {kubernetes_labels: {'*': '*'}}}
"""


@dataclass
class Hands:
    """A clock whose hands the test moves."""

    seconds: float = 1_800_000_000.0
    clock: Clock = field(init=False)

    def __post_init__(self):
        self.clock = Clock(now=lambda: self.seconds, monotonic=lambda: self.seconds)

    def advance(self, seconds):
        self.seconds += seconds


@pytest.fixture
def hands():
    return Hands()


class House(SimpleNamespace):
    """Every service of identity; `events` is the audit log, `full` breaks it."""

    url = URL
    password = PASSWORD
    client = Client(address="192.0.2.7", agent="test")

    def emit(self, event):
        if self.full:
            raise EvidenceUnavailable("the audit log cannot be written")
        self.events.append(event)

    def written(self, kind):
        return [event for event in self.events if event.type == kind]

    async def add_user(self, name="joe", *, roles=("access",), password=PASSWORD, **traits):
        token, _ = await self.users.invite(
            name, roles=roles, traits=traits, by=None, client=self.client
        )
        if password:
            await self.users.accept(token, password, self.client)
        return token

    async def add_connector(self, name, issuer, *, roles=("access",), **spec):
        document = {
            "kind": "oidc",
            "version": "v3",
            "metadata": {"name": name},
            "spec": {
                "issuer_url": issuer,
                "client_id": "plane",
                "client_secret": "s3cret",
                "claims_to_roles": [{"claim": "sub", "value": "*", "roles": list(roles)}],
                **spec,
            },
        }
        await self.resources.ensure([document])


@pytest.fixture(scope="session")
def hasher():
    """Argon2 with parameters that cost a test nothing."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
async def house(tmp_path, hands, hasher):
    house = House(events=[], full=False, hands=hands)
    store = MemoryStore(clock=hands.clock)
    house.store = store
    house.resources = Resources(store, SecretBox(b"k" * 32))
    await house.resources.apply(ROLES, mode="create")
    house.policies = LivePolicies(store, house.resources)
    house.connectors = LiveConnectors(store, house.resources)
    await house.policies.start()
    await house.connectors.start()
    house.sessions = Sessions(store, hands.clock)
    house.authority = UserCA.load_or_make(tmp_path / "ca", hands.clock)
    house.journal = Journal(house.emit, hands.clock)
    house.invites = Invites(store, clock=hands.clock)
    house.passwords = Passwords(hasher)
    house.attempts = Attempts(hands.clock)
    house.local = LocalAuth(store, house.passwords, house.attempts)
    house.providers = Providers(house.connectors, local=LocalConnector(house.local))
    house.credentials = Credentials(
        sessions=house.sessions,
        authority=house.authority,
        policies=house.policies,
        journal=house.journal,
        ttl_seconds=12 * 3600,
        clock=hands.clock,
    )
    house.login = Login(
        connectors=house.providers,
        credentials=house.credentials,
        journal=house.journal,
        public_url=URL,
        clock=hands.clock,
    )
    house.users = LocalUsers(
        store=store,
        declarations=house.resources,
        sessions=house.sessions,
        invites=house.invites,
        journal=house.journal,
        passwords=house.passwords,
    )
    house.changes = UserChanges(store=store, sessions=house.sessions, invites=house.invites)
    yield house
    await house.policies.close()
    await house.connectors.close()
    await store.close()


@pytest.fixture(scope="session")
def csr():
    """A certificate request (PEM), as `plane login` makes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


VERIFIER = "v" * 43


@pytest.fixture
def asks():
    """The parameters of /v1/login/authorize, as `plane login` sends them."""

    def make(**changes):
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        return {
            "redirect_uri": "http://127.0.0.1:49152/callback",
            "state": "cli-state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changes,
        }

    make.verifier = VERIFIER
    return make


EDGE = "the edge's secret"


@pytest.fixture
def app(house):
    """The web application around the house, as the edge reaches it."""
    quart = Quart("plane.web")
    access = Access(
        caller=caller_of(house.sessions),
        policies=house.policies,
        emit=house.emit,
        clock=house.hands.clock,
    )
    about = login_api.About(name="plane.example.com", credential="certificate", ca_pem="CA")
    for blueprint in (
        login_api.blueprint(house.login, about),
        session_api.blueprint(house.credentials, access.caller),
        users_api.blueprint(house.users, access, url=URL),
        pages.blueprint(house.login, house.users, url=URL),
    ):
        quart.register_blueprint(blueprint)
    errors.install(quart)
    return EdgeTrust(quart, EDGE)


@pytest.fixture
async def http(app):
    """A client of the application; `trusted` are the headers that only the edge can set."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        client.trusted = {"Plane-Edge": EDGE, "Plane-Client-Address": "192.0.2.9"}
        yield client
