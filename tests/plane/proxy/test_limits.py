import asyncio

import pytest

from plane.errors import TooManyRequests
from plane.proxy.limits import Limits


def test_one_session_does_not_take_the_places_of_another():
    limits = Limits(1)
    with limits.lease("a"), limits.lease("b"), pytest.raises(TooManyRequests, match="1 requests"):
        limits.lease("a").__enter__()
    assert not limits._under_way


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError, KeyboardInterrupt])
def test_a_lease_ends_on_every_way_out(error):
    limits = Limits(1)
    for _ in range(3):
        with pytest.raises(error), limits.lease("a"):
            raise error
    assert not limits._under_way
