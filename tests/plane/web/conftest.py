"""A scripted browser, and a real OpenID provider (PyPI oidc-provider-mock) in a process of its own."""

import asyncio
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest

PLANE = "https://plane.example.com"
_SERVE = """
import sys
from oidc_provider_mock import User, run_server_in_thread
users = [
    User(sub="alice", claims={"email": "alice@corp.example", "email_verified": True,
                              "groups": ["platform", "dev"]}),
    User(sub="mallory", claims={"email": "alice@corp.example", "email_verified": False}),
    User(sub="guest", claims={"email": "guest@corp.example", "email_verified": True}),
]
with run_server_in_thread(user_claims=users) as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="session")
def provider():
    """The provider's issuer; it is not ours, and nothing in plane knows it."""
    command = [sys.executable, "-W", "ignore", "-c", _SERVE]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    port = int(process.stdout.readline())
    yield f"http://127.0.0.1:{port}"
    process.stdin.close()
    process.wait(timeout=10)
    process.stdout.close()


class Page(HTMLParser):
    """What a person sees and can do: text, links, and the form's fields."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.status = answer, answer.status_code
        self.text, self.links, self.fields, self.buttons = "", {}, {}, []
        self.tags = []
        self._inside = ""
        self.feed(answer.text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self._inside = attrs.get("href", "") if tag == "a" else ""
        if tag == "input":
            self.fields[attrs.get("name")] = attrs.get("value", "")
        if tag == "button":
            self.buttons.append(attrs)

    def handle_data(self, data):
        self.text += data
        if self._inside:
            self.links[data.strip()] = self._inside
            self._inside = ""


class Browser:
    """Follows redirects as a browser does, with its own cookies; stops at the terminal's address."""

    def __init__(self, app):
        web = httpx.ASGITransport(app=app)
        self.http = httpx.AsyncClient(mounts={PLANE: web}, follow_redirects=False)
        self.trail = []

    async def open(self, url, *, method="GET", **how):
        url = urljoin(PLANE, url)
        for _ in range(10):
            answer = await self.http.request(method, url, **how)
            self.trail.append((url, answer))
            if not answer.is_redirect:
                return Page(answer)
            url, method, how = urljoin(url, answer.headers["Location"]), "GET", {}
            if "/callback?" in url and url.startswith("http://127.0.0.1:49152"):
                return url
        raise AssertionError("redirects without end")

    async def send(self, page, **values):
        return await self.open(str(page.answer.url), method="POST", data={**page.fields, **values})


@pytest.fixture
async def browser(app):
    browser = Browser(app)
    yield browser
    await browser.http.aclose()


@pytest.fixture
async def other_browser(app):
    browser = Browser(app)
    yield browser
    await browser.http.aclose()


@pytest.fixture
async def corp(house, provider):
    """The provider as a connector of plane: its groups give roles."""
    await house.add_connector(
        "corp",
        provider,
        display="Corp SSO",
        scope=["email", "profile"],
        claims_to_roles=[{"claim": "groups", "value": "platform", "roles": ["access"]}],
    )
    async with asyncio.timeout(2):
        while house.providers.get("corp") is None:
            await asyncio.sleep(0.001)


@pytest.fixture
def authorize(asks):
    """The address that `plane login` opens."""

    def address(**changes):
        return str(httpx.URL("/v1/login/authorize", params=asks(**changes)))

    return address
