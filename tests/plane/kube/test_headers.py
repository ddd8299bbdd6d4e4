import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube.headers import all_of, first, to_client, to_cluster


def names(headers):
    return [name.lower() for name, _ in headers]


@pytest.mark.parametrize(
    "name",
    [
        b"Authorization",
        b"Cookie",
        b"Host",
        b"Forwarded",
        b"X-Forwarded-For",
        b"X-Forwarded-Anything",
        b"X-Remote-User",
        b"X-Remote-Group",
        b"X-Remote-Extra-Scopes",
        b"Impersonate-User",
        b"impersonate-group",
        b"IMPERSONATE-UID",
        b"Impersonate-Extra-x",
        b"Impersonate_User",
        b"X_Remote_User",
        b"Proxy-Authorization",
        b"Audit-ID",
        b"Plane-Session",
        b"Transfer-Encoding",
        b"Connection",
        b"Upgrade",
        b"X-HTTP-Method-Override",
    ],
)
def test_credentials_and_identity_never_reach_a_cluster(name):
    assert to_cluster([(name, b"x"), (b"Accept", b"y")]) == [(b"Accept", b"y")]


def test_connection_cannot_strip_our_own_headers_cve_2021_31999():
    sent = [(b"Connection", b"close, Impersonate-User, Accept"), (b"Accept", b"x"), (b"A", b"b")]

    assert to_cluster(sent) == [(b"A", b"b")]


def test_repeated_headers_stay_separate_and_in_order():
    versions = [(b"X-Stream-Protocol-Version", b"v4"), (b"X-Stream-Protocol-Version", b"v3")]

    assert to_cluster(versions) == versions


def test_a_bearer_token_among_websocket_protocols_is_taken_out():
    sent = [
        (
            b"Sec-WebSocket-Protocol",
            b"base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io",
        )
    ]

    assert to_cluster(sent) == [(b"Sec-WebSocket-Protocol", b"v5.channel.k8s.io")]


def test_websocket_extensions_are_dropped_so_that_frames_stay_readable():
    assert to_cluster([(b"Sec-WebSocket-Extensions", b"permessage-deflate")]) == []


@given(
    st.sampled_from([b"user", b"group", b"uid", b"extra-scopes", b"anything"]),
    st.lists(st.booleans(), min_size=24, max_size=24),
    st.sampled_from([b"-", b"_"]),
    st.binary(max_size=5),
)
def test_no_casing_of_impersonate_survives(kind, upper, dash, value):
    plain = (b"impersonate-" + kind).replace(b"-", dash).decode()
    spelling = "".join(
        char.upper() if up else char for char, up in zip(plain, upper, strict=False)
    ).encode()

    assert to_cluster([(spelling, value)]) == []


def test_cookies_and_framing_of_a_cluster_do_not_reach_the_client():
    answer = [
        (b"Set-Cookie", b"a=b"),
        (b"Content-Length", b"3"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Connection", b"X-Drop"),
        (b"X-Drop", b"1"),
        (b"Content-Type", b"application/json"),
    ]

    assert to_client(answer) == [(b"Content-Type", b"application/json")]


def test_values_are_found_whatever_the_casing():
    headers = [(b"Accept", b"a"), (b"ACCEPT", b"b")]

    assert first(headers, b"accept") == b"a"
    assert all_of(headers, b"accept") == [b"a", b"b"]
    assert first(headers, b"x") is None
