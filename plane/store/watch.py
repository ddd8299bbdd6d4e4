"""Who listens to a store: each watcher has a bounded queue of its own."""

import asyncio
from collections import deque

from plane.store.base import Change

QUEUE_LIMIT = 4096


class Lagged(Exception):
    """The watcher fell too far behind and lost changes: list again, then watch again."""


class Watch:
    """One subscription; iterate it, and `close()` it (or let the store close it) when done."""

    def __init__(self, watchers: "Watchers", kind: str | None, *, limit: int) -> None:
        self._watchers = watchers
        self._kind = kind
        self._limit = limit
        self._queue: deque[Change] = deque()
        self._ready = asyncio.Event()
        self._lagged = False
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._queue)} waiting"
        return f"<Watch {self._kind or '*'} {state}>"

    def __aiter__(self) -> "Watch":
        return self

    async def __anext__(self) -> Change:
        while not self._queue:
            if self._lagged:
                raise Lagged
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popleft()

    def close(self) -> None:
        """Hear nothing new; what is queued can still be read."""
        self._closed = True
        self._watchers.forget(self)
        self._ready.set()

    def tell(self, change: Change) -> None:
        """Queue a change, or give the watcher up when its queue is full."""
        if self._kind is not None and change.kind != self._kind:
            return
        if len(self._queue) >= self._limit:
            self._lagged = True
            self._watchers.forget(self)
        else:
            self._queue.append(change)
        self._ready.set()


class Watchers:
    """All watchers of one store; the store tells them in the order of revisions."""

    def __init__(self, *, limit: int = QUEUE_LIMIT) -> None:
        self._limit = limit
        self._watches: set[Watch] = set()
        self._closed = False

    def watch(self, kind: str | None) -> Watch:
        """Subscribe now."""
        watch = Watch(self, kind, limit=self._limit)
        if self._closed:
            watch.close()
        else:
            self._watches.add(watch)
        return watch

    def tell(self, change: Change) -> None:
        """Hand a change to everyone who listens to its kind."""
        for watch in tuple(self._watches):
            watch.tell(change)

    def forget(self, watch: Watch) -> None:
        """Stop telling this watcher."""
        self._watches.discard(watch)

    def close(self) -> None:
        """End every iteration."""
        self._closed = True
        for watch in tuple(self._watches):
            watch.close()
