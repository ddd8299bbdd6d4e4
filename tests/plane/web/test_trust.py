"""The application believes its edge, and nobody who only sounds like it."""

import pytest

from plane.web.trust import EdgeTrust

SECRET = "the edge's secret"
EDGE = (b"plane-edge", SECRET.encode())
TOLD = [
    (b"plane-session", b"s1"),
    (b"plane-client-address", b"192.0.2.9"),
    (b"x-forwarded-proto", b"https"),
]


async def seen(headers, *, secret=SECRET, kind="http"):
    found = {}

    async def app(scope, receive, send):
        found.update(scope)

    scope = {"type": kind, "scheme": "http", "client": ("10.0.0.1", 5), "headers": headers}
    await EdgeTrust(app, secret)(scope, None, None)
    return found


async def test_what_the_edge_says_is_believed():
    scope = await seen([EDGE, *TOLD, (b"accept", b"x")])
    assert scope["headers"] == [*TOLD, (b"accept", b"x")]
    assert scope["scheme"] == "https"
    assert scope["client"] == ("192.0.2.9", 0)


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("marks", "secret"),
    [
        ([], SECRET),
        ([(b"plane-edge", b"wrong")], SECRET),
        ([(b"plane-edge", b"")], SECRET),
        ([EDGE, EDGE], SECRET),
        ([EDGE, (b"Plane-Edge", b"wrong")], SECRET),
        ([(b"plane_edge", SECRET.encode())], SECRET),
        ([EDGE], None),
        ([(b"plane-edge", b"")], None),
        ([(b"plane-edge", b"")], ""),
        ([(b"plane-edge", b"None")], None),
    ],
)
async def test_without_the_secret_every_claim_is_dropped(marks, secret, kind):
    claims = [
        *TOLD,
        (b"Plane-Session", b"s1"),
        (b"PLANE_SESSION", b"s1"),
        (b"X_Forwarded_Proto", b"https"),
        (b"X-Forwarded-Host", b"evil"),
        (b"Forwarded", b"for=x"),
    ]
    scope = await seen([*marks, *claims, (b"accept", b"x")], secret=secret, kind=kind)
    assert scope["headers"] == [(b"accept", b"x")]
    assert (scope["scheme"], scope["client"]) == ("http", ("10.0.0.1", 5))


async def test_the_secret_does_not_reach_the_application():
    for marks in ([EDGE], [EDGE, EDGE]):
        assert SECRET.encode() not in [value for _, value in (await seen(marks))["headers"]]


async def test_the_lifespan_passes():
    called = []

    async def app(scope, receive, send):
        called.append(scope["type"])

    await EdgeTrust(app, SECRET)({"type": "lifespan"}, None, None)
    assert called == ["lifespan"]
