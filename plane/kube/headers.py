"""What of a client's headers may reach a cluster, and what of a cluster's may come back.

Order matters (CVE-2021-31999, CVE-2022-23652): first everything that `Connection` names goes, then
what is ours to say; impersonate.py sets ours last, on the list that is sent.
Headers are `list[tuple[bytes, bytes]]` in wire order, names as received.
"""

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# RFC 9110 section 7.6.1, and what older agents send in their place.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Credentials, addresses and ids that only plane may state towards a cluster.
_OURS = frozenset(
    {
        b"authorization",
        b"cookie",
        b"host",
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"audit-id",
        b"expect",
        b"content-length",
        b"x-http-method-override",
        b"x-method-override",
    }
)
_OUR_PREFIXES = (b"impersonate-", b"x-remote-", b"x-forwarded-", b"plane-", b"proxy-")
_FROM_CLUSTER = frozenset(
    {
        b"set-cookie",  # a page behind services/proxy must not plant cookies on plane's own origin
        b"alt-svc",
        b"strict-transport-security",
        b"audit-id",
        b"content-length",
    }
)
_BEARER_PROTOCOL = b"base64url.bearer.authorization.k8s.io."


def _normal(name: bytes) -> bytes:
    # Some servers read `Impersonate_User` as `Impersonate-User`.
    return name.lower().replace(b"_", b"-")


def _named_by_connection(headers: Iterable[tuple[bytes, bytes]]) -> set[bytes]:
    named: set[bytes] = set()
    for name, value in headers:
        if name.lower() == b"connection":
            named.update(_normal(token.strip()) for token in value.split(b","))
    return named


def to_cluster(headers: Headers) -> Headers:
    """The client's headers that may be sent on; framing, identity and hop-by-hop ones are gone."""
    named = _named_by_connection(headers)
    kept: Headers = []
    for name, value in headers:
        low = _normal(name)
        if low in named or low in _HOP_BY_HOP or low in _OURS or low.startswith(_OUR_PREFIXES):
            continue
        if low == b"sec-websocket-protocol":
            value = _without_bearer(value)  # noqa: PLW2901 - the cleaned value is the value
            if not value:
                continue
        elif low == b"sec-websocket-extensions":
            # The taps read plain frames; an extension such as permessage-deflate would blind them.
            continue
        kept.append((name, value))
    return kept


def to_client(headers: Headers) -> Headers:
    """The cluster's headers that may be sent on; framing is set anew by the edge."""
    named = _named_by_connection(headers)
    return [
        (name, value)
        for name, value in headers
        if (low := _normal(name)) not in named
        and low not in _HOP_BY_HOP
        and low not in _FROM_CLUSTER
    ]


def first(headers: Headers, name: bytes) -> bytes | None:
    """The first value of a header (`name` in lower case), or None."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def all_of(headers: Headers, name: bytes) -> list[bytes]:
    """Every value of a header (`name` in lower case), in order."""
    return [value for key, value in headers if key.lower() == name]


def _without_bearer(value: bytes) -> bytes:
    protocols = [part.strip() for part in value.split(b",")]
    return b", ".join(part for part in protocols if not part.startswith(_BEARER_PROTOCOL))
