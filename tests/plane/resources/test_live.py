import asyncio

import pytest

from plane.resources.fields import Faults
from plane.resources.live import Live
from plane.store.base import Write
from plane.store.memory import MemoryStore


def parse(document):
    if "bad" in document.body:
        raise Faults([("bad", "it is")])
    return document.body["n"]


async def put(store, name, **body):
    return await store.put(Write(kind="thing", name=name, body=body))


@pytest.fixture
async def live(store):
    live = Live(store, "thing", parse)
    yield live
    await live.close()


async def turn():
    """Let the follower run: what was told is seen within a turn or two of the loop."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_is_there_is_loaded_and_changes_are_followed(store, live):
    await put(store, "a", n=1)
    await live.start()
    assert live.values == {"a": 1}
    await put(store, "a", n=2)
    await put(store, "b", n=3)
    await turn()
    assert live.values == {"a": 2, "b": 3}
    await store.delete("thing", "a")
    await turn()
    assert live.values == {"b": 3}


async def test_the_revision_grows_with_every_change_also_a_deletion(store, live):
    await live.start()
    seen = [live.revision]
    for step in (put(store, "a", n=1), put(store, "a", n=2), store.delete("thing", "a")):
        await step
        await turn()
        seen.append(live.revision)
    assert seen == sorted(set(seen))


async def test_other_kinds_are_not_heard(store, live):
    await live.start()
    await store.put(Write(kind="other", name="x", body={"n": 1}))
    await turn()
    assert live.values == {}


async def test_callbacks_hear_the_name(store, live):
    heard = []
    live.on_change(heard.append)
    await put(store, "a", n=1)
    await live.start()
    await put(store, "b", bad=1)
    await store.delete("thing", "a")
    await turn()
    assert heard == ["a", "b", "a"]


async def test_a_document_that_does_not_parse_is_broken_not_gone(store, live, caplog):
    await put(store, "a", n=1)
    await live.start()
    await put(store, "a", bad=1)
    await turn()
    assert live.values == {}
    assert live.broken == {"a": "bad: it is"}
    assert "not usable" in caplog.text
    await put(store, "a", n=2)
    await turn()
    assert (live.values, live.broken) == ({"a": 2}, {})
    assert repr(live).startswith("<Live thing 1, revision")


async def test_a_change_older_than_the_listing_is_not_applied(store, live):
    stale = await put(store, "a", n=1)
    await put(store, "a", n=2)
    await live.start()
    from plane.store.base import Change

    live._apply(Change(kind="thing", name="a", revision=stale.revision, document=stale))
    assert live.values == {"a": 2}


async def test_a_follower_that_lagged_lists_again():
    store = MemoryStore(queue_limit=2)
    live = Live(store, "thing", parse)
    await put(store, "gone", n=0)
    await live.start()
    await store.delete("thing", "gone")
    for number in range(10):
        await put(store, f"n{number}", n=number)
    for _ in range(10):
        await asyncio.sleep(0)
    assert sorted(live.values.values()) == list(range(10))
    await put(store, "after", n=99)
    await turn()
    assert live.values["after"] == 99
    await live.close()
    await store.close()
