"""Waiting by asking, never by sleeping for luck."""

import time
from collections.abc import Callable


class NotReadyError(Exception):
    """Something did not become ready in time; the message carries the end of its log."""


def wait_for(
    what: str,
    ready: Callable[[], bool],
    *,
    seconds: float = 60,
    evidence: Callable[[], str] = str,
) -> None:
    """Ask `ready` until it says yes; raises NotReadyError, which shows `evidence()`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise NotReadyError(f"{what} was not ready after {seconds:g} s\n{evidence()}")
        time.sleep(0.1)
