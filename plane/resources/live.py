"""Keeps one kind of the store in memory: list once, then follow the changes.

Whoever reads a view does so without waiting; a change is seen within the same turn of the event
loop in which the store tells it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from plane import tasks
from plane.errors import PlaneError
from plane.resources.fields import Faults
from plane.store.base import Change, Document, Store
from plane.store.watch import Lagged

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Live(Generic[_T]):
    """The documents of a kind, parsed; `broken` holds those that do not parse, with the reason."""

    def __init__(self, store: Store, kind: str, parse: Callable[[Document], _T]) -> None:
        self._store = store
        self._kind = kind
        self._parse = parse
        self._callbacks: list[Callable[[str], None]] = []
        self._revisions: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self.values: dict[str, _T] = {}
        self.broken: dict[str, str] = {}
        self.revision = 0

    def __repr__(self) -> str:
        broken = f", {len(self.broken)} broken" if self.broken else ""
        return f"<Live {self._kind} {len(self.values)}{broken}, revision {self.revision}>"

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the name after each change."""
        self._callbacks.append(callback)

    async def start(self) -> None:
        """Load everything, then follow in the background until `close`."""
        watch = self._store.watch(self._kind)
        await self._load()
        self._task = tasks.spawn(self._follow(watch), name=f"live.{self._kind}")

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            await tasks.cancel(self._task)

    async def _follow(self, watch: AsyncIterator[Change]) -> None:
        while True:
            with contextlib.suppress(Lagged):
                async for change in watch:
                    self._apply(change)
                return
            watch = self._store.watch(self._kind)
            await self._load()

    async def _load(self) -> None:
        documents = await self._store.all(self._kind)
        for name in self._revisions.keys() - {each.name for each in documents}:
            self._apply(Change(kind=self._kind, name=name, revision=self.revision, document=None))
        for each in documents:
            self._apply(
                Change(kind=self._kind, name=each.name, revision=each.revision, document=each)
            )

    def _apply(self, change: Change) -> None:
        # A change that was queued before a listing which already held its successor.
        if change.revision < self._revisions.get(change.name, 0):
            return
        self.revision = max(self.revision, change.revision)
        self.values.pop(change.name, None)
        self.broken.pop(change.name, None)
        if change.document is None:
            self._revisions.pop(change.name, None)
        else:
            self._revisions[change.name] = change.revision
            self._take(change.document)
        for callback in self._callbacks:
            callback(change.name)

    def _take(self, document: Document) -> None:
        try:
            self.values[document.name] = self._parse(document)
        except (Faults, PlaneError) as error:
            self.broken[document.name] = str(error)
            _log.error("%s %r is not usable: %s", self._kind, document.name, error)
