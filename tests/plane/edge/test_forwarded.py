import pytest

from plane.edge.forwarded import client_address, networks

TRUSTED = networks(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "header", "expected"),
    [
        ("10.0.0.1", b"203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", b"203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", b"6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", b"6.6.6.6, <script>, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("203.0.113.9", b"6.6.6.6", "203.0.113.9"),
        ("fd00::1", b"2001:db8::7", "2001:db8::7"),
        ("", b"6.6.6.6", ""),
    ],
)
def test_an_address_is_believed_only_from_a_trusted_proxy(peer, header, expected):
    assert client_address(peer, [(b"X-Forwarded-For", header)], TRUSTED) == expected


def test_without_trusted_proxies_x_forwarded_for_is_ignored():
    assert client_address("10.0.0.1", [(b"X-Forwarded-For", b"6.6.6.6")], ()) == "10.0.0.1"


def test_repeated_headers_are_read_as_one_list():
    headers = [(b"x-forwarded-for", b"6.6.6.6"), (b"X-Forwarded-For", b"203.0.113.7")]

    assert client_address("10.0.0.1", headers, TRUSTED) == "203.0.113.7"
