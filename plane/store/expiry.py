"""Ends documents at their time: sleeps until the next expiry, then has the store delete."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from plane import tasks

# Wall clocks jump; never sleep longer than this on the word of one reading.
LONGEST_SLEEP_SECONDS = 15.0
SHORTEST_SLEEP_SECONDS = 0.05


class Expiry:
    """A background task that calls `sweep` when `due` (seconds from now or None) has come."""

    def __init__(
        self, due: Callable[[], float | None], sweep: Callable[[], Awaitable[None]]
    ) -> None:
        self._due = due
        self._sweep = sweep
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """Look again at what is due; starts the task at the first call in a running loop."""
        self._wake.set()
        if self._task is None:
            self._task = tasks.spawn(self._run(), name="store.expiry")

    async def close(self) -> None:
        """Stop sweeping."""
        if self._task is not None:
            await tasks.cancel(self._task)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            due = self._due()
            if due is not None and due <= 0:
                await self._sweep()
                continue
            pause = LONGEST_SLEEP_SECONDS if due is None else max(due, SHORTEST_SLEEP_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(pause, LONGEST_SLEEP_SECONDS)):
                    await self._wake.wait()
