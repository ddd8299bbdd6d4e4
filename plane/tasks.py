"""The one door for background tasks: named, kept, and loud when they die.

asyncio keeps only weak references to tasks, so a bare create_task can vanish in mid-flight.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

_log = logging.getLogger(__name__)
_kept: set[asyncio.Task[Any]] = set()
_T = TypeVar("_T")


def spawn(coroutine: Coroutine[Any, Any, _T], *, name: str) -> asyncio.Task[_T]:
    """Run `coroutine` in the background; its failure is logged with its name."""
    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    _kept.add(task)
    task.add_done_callback(_finished)
    return task


async def cancel(task: asyncio.Task[Any]) -> None:
    """End `task` and wait until it has ended, whatever it raises."""
    task.cancel()
    await asyncio.wait([task])


def _finished(task: asyncio.Task[Any]) -> None:
    _kept.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("task %s failed", task.get_name(), exc_info=error)
