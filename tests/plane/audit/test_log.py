"""The audit log keeps what it has answered, and says so when it cannot."""

import asyncio
import contextlib
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from plane.audit import log as log_module
from plane.audit.events import Actor, Event, EventType, Outcome
from plane.audit.log import AuditLog
from plane.audit.segment import segments
from plane.clock import Clock
from plane.errors import EvidenceUnavailable
from plane.tasks import spawn

EVENT = Event(
    type=EventType.KUBE_REQUEST,
    audit_id="a1",
    time=1764000000.5,
    received=1764000000.25,
    actor=Actor(username="joe"),
    verb="get",
    path="/api/v1/pods",
    outcome=Outcome(code=200),
)


class Hands:
    """A clock that the test turns."""

    def __init__(self, now=1764000000.0):
        self.seconds = now
        self.clock = Clock(now=lambda: self.seconds, uuid=lambda: "w-1")


@pytest.fixture
def hands():
    return Hands()


def lines(folder):
    return [
        json.loads(line) for path in segments(folder) for line in path.read_bytes().splitlines()
    ]


async def test_an_event_is_in_the_file_when_append_returns(tmp_path, hands):
    log = AuditLog(tmp_path / "audit", hands.clock)
    assert log.append(EVENT) == 1
    assert [line["auditID"] for line in lines(tmp_path / "audit")] == ["a1"]
    await log.close()


async def test_folder_is_0700_and_files_are_0600_even_when_they_were_open_to_all(tmp_path, hands):
    folder = tmp_path / "audit"
    folder.mkdir(mode=0o755)
    log = AuditLog(folder, hands.clock)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    await log.close()


async def test_numbers_and_writer_go_on_after_a_restart(tmp_path, hands):
    first = AuditLog(tmp_path, hands.clock)
    first.append(EVENT)
    await first.close()
    second = AuditLog(tmp_path, replace(hands.clock, uuid=lambda: "another"))
    assert second.append(EVENT) == 2
    assert [(line["seq"], line["writer"]) for line in lines(tmp_path)] == [(1, "w-1"), (2, "w-1")]
    assert len(segments(tmp_path)) == 1
    await second.close()


async def test_two_writers_cannot_share_a_folder(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock)
    with pytest.raises(EvidenceUnavailable, match="another plane server"):
        AuditLog(tmp_path, hands.clock)
    await log.close()
    await AuditLog(tmp_path, hands.clock).close()


async def test_torn_last_line_is_cut_off_and_reported(tmp_path, hands, caplog):
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)
    log.append(EVENT)
    await log.close()
    path = segments(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-10])
    torn = len(path.read_bytes().splitlines()[-1])

    log = AuditLog(tmp_path, hands.clock)
    assert log.recovered.cut_bytes == torn
    assert "torn line" in caplog.text
    assert log.append(EVENT) == 2
    assert [line["seq"] for line in lines(tmp_path)] == [1, 2]
    await log.close()


async def test_zeros_that_a_power_cut_left_at_the_end_are_cut_off(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)
    await log.close()
    with segments(tmp_path)[0].open("ab") as file:
        file.write(bytes(4096))
    log = AuditLog(tmp_path, hands.clock)
    assert (log.recovered.cut_bytes, log.append(EVENT)) == (4096, 2)
    await log.close()


async def test_a_damaged_whole_line_stays_as_it_is_and_its_number_is_not_used_again(
    tmp_path, hands, caplog
):
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)
    await log.close()
    with segments(tmp_path)[0].open("ab") as file:
        file.write(b'{"seq":2,"wri\xff\n')
    log = AuditLog(tmp_path, hands.clock)
    assert log.recovered.damaged == 1
    assert log.append(EVENT) == 3
    assert b"wri\xff\n" in segments(tmp_path)[0].read_bytes()
    await log.close()


async def test_an_empty_newest_segment_takes_the_number_from_the_one_before(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)
    await log.close()
    (tmp_path / "0000000000000002-20261123T120000Z.jsonl").touch(0o600)
    log = AuditLog(tmp_path, hands.clock)
    assert (log.writer, log.append(EVENT)) == ("w-1", 2)
    await log.close()


async def test_segments_rotate_by_size_and_their_names_sort(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock, segment_bytes=1)
    for _ in range(12):
        log.append(EVENT)
        hands.seconds -= 1  # a clock that runs backwards does not change the order
    assert len(segments(tmp_path)) == 12
    assert [line["seq"] for line in lines(tmp_path)] == list(range(1, 13))
    await log.close()


async def test_segments_rotate_by_age(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock, segment_seconds=60)
    log.append(EVENT)
    hands.seconds += 59
    log.append(EVENT)
    hands.seconds += 1
    log.append(EVENT)
    log.append(EVENT)
    assert [len(path.read_bytes().splitlines()) for path in segments(tmp_path)] == [2, 2]
    await log.close()


async def test_sync_is_shared_by_all_who_wait_and_covers_what_came_before(
    tmp_path, hands, monkeypatch
):
    calls = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (calls.append(fd), real(fd)))
    log = AuditLog(tmp_path, hands.clock)
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            log.append(EVENT)
            group.create_task(log.sync())
    assert 1 <= len(calls) <= 2
    await log.sync()
    assert len(calls) <= 2, "nothing new, nothing to sync"
    await log.close()


async def test_sync_covers_segments_that_were_left_in_between(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock, segment_bytes=1)
    for _ in range(5):
        log.append(EVENT)
    await log.sync()
    assert not log._retired
    await log.close()


async def test_a_cancelled_waiter_does_not_end_the_sync_of_the_others(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(log.sync())
        group.create_task(log.sync())
        await asyncio.sleep(0)
        first.cancel()
    assert first.cancelled()
    await log.close()


async def test_background_sync_follows_an_event_that_nobody_waits_for(tmp_path, hands, monkeypatch):
    synced = asyncio.Event()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(os, "fdatasync", lambda fd: loop.call_soon_threadsafe(synced.set))
    log = AuditLog(tmp_path, hands.clock, sync_seconds=0.01)
    log.append(EVENT)
    async with asyncio.timeout(5):
        await synced.wait()
    await log.close()


async def test_a_failed_sync_is_told_to_every_waiter_and_its_file_is_left(
    tmp_path, hands, monkeypatch
):
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)

    def broken(fd):
        raise OSError(errno.EIO, "bad disk")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        waiters = [spawn(log.sync(), name="waiter") for _ in range(3)]
        await asyncio.wait(waiters)
    assert all("bad disk" in waiter.exception().detail for waiter in waiters)
    assert not log.healthy
    hands.seconds += 1
    assert log.append(EVENT) == 2
    assert log.healthy
    assert len(segments(tmp_path)) == 2
    await log.close()


async def test_disk_full_while_auditing_refuses_and_leaves_no_torn_line(tmp_path, hands):
    """RLIMIT_FSIZE is a real short write followed by EFBIG, as ENOSPC is."""
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)
    before = segments(tmp_path)[0].read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(EvidenceUnavailable) as error:
            log.append(EVENT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "administrator" in error.value.message
    assert str(tmp_path) not in error.value.message
    assert not log.healthy
    assert segments(tmp_path)[0].read_bytes() == before
    assert log.append(EVENT) == 2
    assert log.healthy
    await log.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
async def test_disk_full_on_a_real_file_system(tmp_path, hands):
    """ENOSPC from a tmpfs of 64 KiB; after a file is removed, the log goes on by itself."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("this root may not mount")
    try:
        ballast = tmp_path / "ballast"
        ballast.write_bytes(bytes(16 << 10))
        log = AuditLog(tmp_path / "audit", hands.clock, sync_seconds=0.01)
        written = 0
        with contextlib.suppress(EvidenceUnavailable):
            while written < 1000:
                written = log.append(EVENT)
        assert 0 < written < 1000
        assert not log.healthy
        ballast.unlink()
        async with asyncio.timeout(5):
            while not log.healthy:
                await asyncio.sleep(0.01)
        assert log.append(EVENT) == written + 1
        assert [line["seq"] for line in lines(tmp_path / "audit")] == list(range(1, written + 2))
        await log.close()
    finally:
        subprocess.run(["umount", tmp_path], check=True)


async def test_a_torn_line_that_could_not_be_cut_at_once_is_cut_before_the_next(
    tmp_path, hands, monkeypatch
):
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)
    real_write, real_cut = os.write, os.ftruncate

    def half(fd, data):
        if len(data) < 100:
            raise OSError(errno.ENOSPC, "full")
        return real_write(fd, data[: len(data) - 50])

    def no_cut(fd, size):
        raise OSError(errno.EIO, "no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        patch.setattr(os, "ftruncate", no_cut)
        with pytest.raises(EvidenceUnavailable):
            log.append(EVENT)
        with pytest.raises(EvidenceUnavailable):
            log.append(EVENT)
    monkeypatch.setattr(os, "ftruncate", real_cut)
    assert log.append(EVENT) == 2
    assert [line["seq"] for line in lines(tmp_path)] == [1, 2]
    await log.close()


async def test_details_that_are_no_json_are_refused_and_nothing_is_written(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock)
    with pytest.raises(EvidenceUnavailable):
        log.append(replace(EVENT, details={"socket": object()}))
    assert lines(tmp_path) == []
    await log.close()


async def test_a_deleted_segment_is_noticed_and_a_new_one_begun(tmp_path, hands, caplog):
    log = AuditLog(tmp_path, hands.clock)
    log.append(EVENT)
    segments(tmp_path)[0].unlink()
    await log.sync()
    assert "deleted" in caplog.text
    hands.seconds += 1
    log.append(EVENT)
    assert [line["seq"] for line in lines(tmp_path)] == [2]
    await log.close()


async def test_a_link_planted_as_the_newest_segment_is_not_followed(tmp_path, hands):
    victim = tmp_path / "victim"
    victim.write_text("")
    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / "0000000000000001-20261123T120000Z.jsonl").symlink_to(victim)
    with pytest.raises(EvidenceUnavailable):
        AuditLog(folder, hands.clock)
    assert victim.read_text() == ""


async def test_close_twice_is_harmless(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock)
    await log.close()
    await log.close()


def test_it_appends_without_an_event_loop(tmp_path, hands):
    log = AuditLog(tmp_path, hands.clock)
    assert log.append(EVENT) == 1
    asyncio.run(log.close())


def test_an_open_folder_that_cannot_be_made_is_one_clear_error(tmp_path, hands):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvidenceUnavailable) as error:
        AuditLog(tmp_path / "file" / "audit", hands.clock)
    assert error.value.message == log_module._MESSAGE


KILLED = """
    import sys
    from pathlib import Path
    from plane.audit.events import Event, EventType
    from plane.audit.log import AuditLog

    log = AuditLog(Path(sys.argv[1]), segment_bytes=20_000)
    while True:
        event = Event(type=EventType.KUBE_REQUEST, audit_id="x", time=1.0, received=1.0)
        seq = log.append(event)
        sys.stdout.write(f"{seq}\\n")
        sys.stdout.flush()
"""


def test_kill_minus_9_of_the_server_loses_nothing_that_was_answered(tmp_path):
    """The child answers a number only after append; every answered number must be in the log."""
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], stdout=subprocess.PIPE
    )
    answered = [int(child.stdout.readline()) for _ in range(500)]
    child.send_signal(signal.SIGKILL)
    answered += [int(line) for line in child.stdout if line.endswith(b"\n")]
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL

    log = AuditLog(tmp_path)
    kept = [line["seq"] for line in lines(tmp_path)]
    assert kept == list(range(1, len(kept) + 1))
    assert set(answered) <= set(kept)
    assert log.append(EVENT) == kept[-1] + 1
    asyncio.run(log.close())
