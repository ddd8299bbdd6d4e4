"""The live streams (watch, log, exec, port-forward), and ending those that lost their right.

Every change of roles, sessions or clusters leads to `review`; a stream that would not be allowed
now is told to end with the reason. Expiry has no event of its own, so a timer reviews, too.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)
REVIEW_SECONDS = 1.0  # the promise is 2 s


@dataclass(eq=False, slots=True, kw_only=True)
class LiveStream:
    """One stream: `recheck` gives the reason why it must end, or None; `ended` is resolved once."""

    recheck: Callable[[], str | None]
    ended: asyncio.Future[str] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def end(self, reason: str) -> None:
        """Tell the stream to end."""
        if not self.ended.done():
            self.ended.set_result(reason)


class LiveStreams:
    """The registry that is walked on each change."""

    def __init__(self) -> None:
        self._streams: set[LiveStream] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._streams)

    @contextmanager
    def enter(self, recheck: Callable[[], str | None]) -> Iterator[LiveStream]:
        """Register a stream for as long as it runs."""
        stream = LiveStream(recheck=recheck)
        self._streams.add(stream)
        if self._timer is None:
            self._arm()
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def review(self) -> None:
        """End every stream that would not be allowed now."""
        for stream in list(self._streams):
            try:
                reason = stream.recheck()
            except Exception:  # noqa: BLE001 - fail closed, whatever the fault
                _log.exception("a live stream could not be rechecked; it ends")
                reason = "its right could not be checked again"
            if reason is not None:
                stream.end(reason)

    def end_all(self, reason: str) -> None:
        """End every stream (the server stops)."""
        for stream in list(self._streams):
            stream.end(reason)

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(REVIEW_SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.review()
        if self._streams:
            self._arm()
