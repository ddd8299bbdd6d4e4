"""What holds for every test: no test talks to another machine."""

import socket

import pytest

_LOCAL = ("127.", "::1", "localhost", "10.89.")  # 10.89: the pods of the test clusters


class OutsideError(RuntimeError):
    """A test tried to reach another machine."""


@pytest.fixture(autouse=True, scope="session")
def _no_outside():
    """Refuse connections that leave this machine: tests that need the world are wrong."""
    connect = socket.socket.connect

    def guarded(self, address):
        inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if inet and not str(address[0]).startswith(_LOCAL):
            raise OutsideError(f"a test may not connect to {address[0]}")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
