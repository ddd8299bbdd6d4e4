"""Whose address stands behind a load balancer: `X-Forwarded-For`, believed only from trusted ones.

The rightmost address that is not itself a trusted proxy is the client's; everything left of it is
the client's own claim (RFC 7239 section 8.1).
"""

import ipaddress
from collections.abc import Sequence

from plane.kube.headers import all_of
from plane.upstream.base import Headers

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The configured proxies; ValueError when one is no network."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def client_address(peer: str, headers: Headers, trusted: Sequence[Network]) -> str:
    """The client's address as far as it can be believed; `peer` when in doubt."""
    found = peer
    if not _within(peer, trusted):
        return found
    hops = [
        hop.strip().decode("latin-1")
        for value in all_of(headers, b"x-forwarded-for")
        for hop in value.split(b",")
    ]
    for hop in reversed(hops):
        try:
            found = str(ipaddress.ip_address(hop))
        except ValueError:
            break  # not an address: what is left of it is worth no more
        if not _within(found, trusted):
            break
    return found


def _within(address: str, trusted: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)
