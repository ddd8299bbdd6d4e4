"""What every store keeps; an implementation's test file calls these through `checks()`.

A factory gets a clock and returns an open store; `now` of the clock is `Ticks.seconds`.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from plane.clock import Clock
from plane.errors import Conflict
from plane.store.base import Store, Write
from plane.store.watch import Lagged

Factory = Callable[[Clock], Store]


class Ticks:
    def __init__(self):
        self.seconds = 1_000_000.0

    def clock(self):
        return Clock(now=lambda: self.seconds)


def write(name="a", *, kind="role", body=None, expected=None, expires=None):
    return Write(kind=kind, name=name, body=body or {"n": 1}, expected=expected, expires=expires)


async def what_was_put_is_read_back(store: Store, ticks: Ticks) -> None:
    body = {"text": "ä😀", "list": [1, None, True], "map": {"": 1.5}}
    written = await store.put(write(body=body))
    assert await store.get("role", "a") == written
    assert written.body == body
    assert await store.get("role", "b") is None
    assert await store.get("user", "a") is None


async def a_body_is_a_copy(store: Store, ticks: Ticks) -> None:
    body = {"list": [1]}
    await store.put(write(body=body))
    body["list"].append(2)
    assert (await store.get("role", "a")).body == {"list": [1]}


async def all_of_a_kind_come_by_name(store: Store, ticks: Ticks) -> None:
    for name in ("c", "a", "b"):
        await store.put(write(name))
    await store.put(write("x", kind="user"))
    assert [each.name for each in await store.all("role")] == ["a", "b", "c"]
    assert await store.all("nothing") == []


async def revisions_grow_and_never_repeat(store: Store, ticks: Ticks) -> None:
    first = await store.put(write())
    second = await store.put(write("b"))
    assert await store.delete("role", "b")
    third = await store.put(write("b"))
    assert first.revision < second.revision < third.revision
    assert third.revision > second.revision + 1, "a deletion has a revision too"


async def expected_zero_means_must_not_exist(store: Store, ticks: Ticks) -> None:
    await store.put(write(expected=0))
    with pytest.raises(Conflict, match="exists already"):
        await store.put(write(expected=0))


async def a_lost_update_is_refused(store: Store, ticks: Ticks) -> None:
    first = await store.put(write())
    await store.put(write(body={"n": 2}, expected=first.revision))
    with pytest.raises(Conflict, match="changed in between"):
        await store.put(write(body={"n": 3}, expected=first.revision))
    assert (await store.get("role", "a")).body == {"n": 2}


async def an_update_of_something_deleted_is_refused(store: Store, ticks: Ticks) -> None:
    first = await store.put(write())
    await store.delete("role", "a")
    with pytest.raises(Conflict, match="deleted"):
        await store.put(write(expected=first.revision))


async def a_batch_is_whole_or_nothing(store: Store, ticks: Ticks) -> None:
    await store.put(write("b"))
    with pytest.raises(Conflict):
        await store.put_all([write("a", expected=0), write("b", expected=0)])
    assert await store.get("role", "a") is None
    with pytest.raises(Conflict):
        await store.put_all([write("c", expected=0), write("c", expected=0)])
    assert await store.get("role", "c") is None
    assert await store.put_all([]) == []


async def a_delete_can_be_guarded(store: Store, ticks: Ticks) -> None:
    first = await store.put(write())
    second = await store.put(write(body={"n": 2}))
    with pytest.raises(Conflict):
        await store.delete("role", "a", expected=first.revision)
    assert await store.delete("role", "a", expected=second.revision)
    assert not await store.delete("role", "a")


async def a_body_that_is_not_json_is_refused(store: Store, ticks: Ticks) -> None:
    for value in (float("nan"), object()):
        with pytest.raises((ValueError, TypeError)):
            await store.put(write(body={"n": value}))
    assert await store.all("role") == []


async def watchers_hear_changes_in_order(store: Store, ticks: Ticks) -> None:
    everything, roles = store.watch(), store.watch("role")
    await store.put(write("a"))
    await store.put(write("b", kind="user"))
    await store.delete("role", "a")
    heard = [await anext(everything) for _ in range(3)]
    assert [(each.kind, each.name, each.document is None) for each in heard] == [
        ("role", "a", False),
        ("user", "b", False),
        ("role", "a", True),
    ]
    assert [each.revision for each in heard] == sorted(each.revision for each in heard)
    assert [(await anext(roles)).document is None for _ in range(2)] == [False, True]


async def a_watcher_hears_nothing_from_before(store: Store, ticks: Ticks) -> None:
    await store.put(write("a"))
    watch = store.watch()
    await store.put(write("b"))
    assert (await anext(watch)).name == "b"


async def a_slow_watcher_is_told_that_it_lagged(store: Store, ticks: Ticks) -> None:
    watch = store.watch()
    watch._limit = 2
    for name in "abc":
        await store.put(write(name))
    assert [(await anext(watch)).name for _ in range(2)] == ["a", "b"]
    with pytest.raises(Lagged):
        await anext(watch)


async def a_waiting_watcher_can_be_cancelled(store: Store, ticks: Ticks) -> None:
    watch = store.watch()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await anext(watch)
    await store.put(write())
    assert (await anext(watch)).name == "a"


async def closing_the_store_ends_watches(store: Store, ticks: Ticks) -> None:
    watch = store.watch()
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(_drain(watch))
        await store.put(write())
        await store.close()
    assert [each.name for each in reader.result()] == ["a"]


async def expired_documents_are_never_returned(store: Store, ticks: Ticks) -> None:
    await store.put(write(expires=ticks.seconds + 10))
    assert (await store.get("role", "a")).expires == ticks.seconds + 10
    ticks.seconds += 10
    assert await store.get("role", "a") is None
    assert await store.all("role") == []
    assert not await store.delete("role", "a")


async def an_expired_name_can_be_created_again(store: Store, ticks: Ticks) -> None:
    await store.put(write(expires=ticks.seconds + 10))
    ticks.seconds += 10
    await store.put(write(body={"n": 2}, expected=0))
    assert (await store.get("role", "a")).body == {"n": 2}


async def watchers_hear_an_expiry(store: Store, ticks: Ticks) -> None:
    watch = store.watch()
    await store.put(write(expires=ticks.seconds + 0.1))
    assert (await anext(watch)).document is not None
    ticks.seconds += 1
    async with asyncio.timeout(5):
        change = await anext(watch)
    assert (change.name, change.document) == ("a", None)


async def a_renewed_document_outlives_its_first_expiry(store: Store, ticks: Ticks) -> None:
    await store.put(write(expires=ticks.seconds + 10))
    await store.put(write(expires=ticks.seconds + 100))
    ticks.seconds += 50
    await store.sweep()
    assert await store.get("role", "a") is not None


async def many_writers_lose_nothing(store: Store, ticks: Ticks) -> None:
    await store.put(write(body={"n": 0}))
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(_increment(store))
    assert (await store.get("role", "a")).body == {"n": 20}


CHECKS: list[Callable[[Store, Ticks], Awaitable[None]]] = [
    what_was_put_is_read_back,
    a_body_is_a_copy,
    all_of_a_kind_come_by_name,
    revisions_grow_and_never_repeat,
    expected_zero_means_must_not_exist,
    a_lost_update_is_refused,
    an_update_of_something_deleted_is_refused,
    a_batch_is_whole_or_nothing,
    a_delete_can_be_guarded,
    a_body_that_is_not_json_is_refused,
    watchers_hear_changes_in_order,
    a_watcher_hears_nothing_from_before,
    a_slow_watcher_is_told_that_it_lagged,
    a_waiting_watcher_can_be_cancelled,
    closing_the_store_ends_watches,
    expired_documents_are_never_returned,
    an_expired_name_can_be_created_again,
    watchers_hear_an_expiry,
    a_renewed_document_outlives_its_first_expiry,
    many_writers_lose_nothing,
]


async def run(check: Callable[[Store, Ticks], Awaitable[None]], factory: Factory) -> None:
    ticks = Ticks()
    store = factory(ticks.clock())
    try:
        await check(store, ticks)
    finally:
        if check is not closing_the_store_ends_watches:
            await store.close()


async def _increment(store):
    while True:
        document = await store.get("role", "a")
        try:
            await store.put(write(body={"n": document.body["n"] + 1}, expected=document.revision))
        except Conflict:
            continue
        return


async def _drain(watch):
    return [each async for each in watch]
