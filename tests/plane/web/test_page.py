"""Headers that depend on the address."""

import pytest

from plane.web.page import strict_transport


@pytest.mark.parametrize(
    ("url", "strict"),
    [
        ("https://plane.example.com", True),
        ("https://plane.example.com:3080", True),
        ("http://plane.example.com", False),
        ("https://localhost:3080", False),
        ("https://127.0.0.1:3080", False),
        ("https://[::1]:3080", False),
    ],
)
def test_strict_transport_is_asked_where_it_does_no_harm(url, strict):
    """For localhost it would break every other plain service of the machine."""
    assert bool(strict_transport(url)) is strict
