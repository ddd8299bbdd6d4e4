import asyncio
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from plane.audit.file import AppendFile
from plane.errors import EvidenceUnavailable
from plane.recording.asciicast import read_events

ID = "4f1c1c1e-0d5c-4b51-9a53-0a4f6b1b2c3d"
OTHER = ID[:-1] + "0"
HOW = {"exit_code": 0, "reason": "", "closed_by": "cluster"}


def test_a_terminal_session_is_kept_with_its_times_sizes_and_digest(desk):
    recording = desk.open()
    recording.resize(120, 40)
    desk.seconds += 0.25
    recording.output("stdout", b"hello\r\n")
    recording.resize(120, 40)
    summary = recording.finish(**HOW)
    assert desk.events() == [[0.0, "r", "120x40"], [0.25, "o", "hello\r\n"]]
    raw = desk.cast().read_bytes()
    assert summary.sha256 == hashlib.sha256(raw).hexdigest()
    assert (summary.size, summary.duration, summary.bytes) == (len(raw), 0.25, {"stdout": 7})
    sidecar = desk.sidecar()
    assert sidecar["state"] == "complete"
    assert (sidecar["exitCode"], sidecar["closedBy"]) == (0, "cluster")
    assert (sidecar["width"], sidecar["height"]) == (120, 40)
    assert sidecar["sha256"] == summary.sha256


def test_the_sidecar_tells_who_and_where_before_the_first_byte(desk):
    recording = desk.open()
    sidecar = desk.sidecar()
    assert sidecar["state"] == "recording"
    assert sidecar["started"] == "2025-11-24T16:00:00.000Z"
    told = {key: sidecar[key] for key in ("user", "connector", "subject", "cluster", "pod")}
    assert set(told.values()) == {"joe", "local", "joe-1", "west", "web-0"}
    recording.finish(**HOW)


def test_folders_are_0700_and_files_0600(desk):
    desk.open().finish(**HOW)
    day = desk.cast().parent
    assert day.name == "2025-11-24"
    assert {path.stat().st_mode & 0o777 for path in (day, day.parent)} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in day.iterdir()} == {0o600}
    assert len(list(day.iterdir())) == 2


def test_typed_bytes_are_not_kept_and_a_terminals_have_no_digest(desk):
    recording = desk.open()
    recording.input(b"hunter2\r")
    recording.finish(**HOW)
    assert desk.events() == []
    assert desk.sidecar()["streams"] == {"stdin": {"bytes": 8}}


def test_typed_bytes_are_kept_when_a_role_says_so(desk):
    recording = desk.open(record_input=True)
    recording.input(b"ls\r")
    recording.finish(**HOW)
    assert desk.events() == [[0.0, "i", "ls\r"]]


def test_a_pipes_stdin_is_counted_and_digested(desk):
    recording = desk.open(tty=False)
    recording.input(b"a" * 10)
    recording.finish(**HOW)
    digest = hashlib.sha256(b"a" * 10).hexdigest()
    assert desk.sidecar()["streams"]["stdin"] == {"bytes": 10, "sha256": digest}


def test_bulk_binary_data_becomes_a_count_a_digest_and_the_first_kib(desk):
    chunk = bytes(range(256)) * 256
    recording = desk.open(tty=False)
    for _ in range(32):
        recording.output("stdout", chunk)
    recording.output("stdout", b"done\n")
    recording.output("stderr", b"a warning\n")
    recording.finish(**HOW)
    stdout = desk.sidecar()["streams"]["stdout"]
    assert stdout["bytes"] == 32 * 65536 + 5
    assert stdout["sha256"] == hashlib.sha256(chunk * 32 + b"done\n").hexdigest()
    assert stdout["leftOut"] == 16 * 65536
    assert len(stdout["head"]) == 1368
    assert desk.events()[-3:] == [
        [0.0, "m", "stdout: 1048576 bytes of binary data left out"],
        [0.0, "o", "done\n"],
        [0.0, "o", "a warning\n"],
    ]


def test_recording_cannot_be_skipped_by_sending_much_first(desk):
    """Text goes on after the first MiB, whatever came before."""
    recording = desk.open(tty=False)
    recording.output("stdout", bytes(2 << 20))
    recording.output("stdout", b"the secret\n")
    recording.finish(**HOW)
    assert desk.events()[-1][2] == "the secret\n"


def test_recording_cannot_be_skipped_by_zeros_at_a_terminal(desk):
    recording = desk.open()
    recording.output("stdout", bytes(2 << 20))
    recording.output("stdout", b"\0secret\0")
    recording.finish(**HOW)
    assert desk.events()[-1][2] == "\0secret\0"


def test_a_character_cut_by_the_end_is_not_lost(desk):
    recording = desk.open()
    recording.output("stdout", "é".encode()[:1])
    recording.finish(**HOW)
    assert desk.events() == [[0.0, "o", "\ufffd"]]


async def test_the_timer_brings_output_to_the_file(desk):
    recording = desk.open()
    recording.output("stdout", b"x")
    assert desk.events() == []
    async with asyncio.timeout(5):
        while not desk.events():
            await asyncio.sleep(0.005)
    assert recording.held == 0
    recording.finish(**HOW)


def test_much_output_does_not_wait_for_the_timer(desk):
    recording = desk.open()
    recording.output("stdout", b"x" * 70000)
    assert recording.held == 0
    assert len(desk.events()) == 1
    recording.finish(**HOW)


def test_disk_full_while_recording_is_told_at_once_and_for_good(desk):
    recording = desk.open()
    recording.output("stdout", b"before")
    recording.flush()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (desk.cast().stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(EvidenceUnavailable):
            recording.output("stdout", b"y" * 70000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with pytest.raises(EvidenceUnavailable):
        recording.output("stdout", b"z")
    with pytest.raises(EvidenceUnavailable) as error:
        recording.finish(**HOW)
    assert str(desk.folder) not in error.value.message
    assert desk.events() == [[0.0, "o", "before"]]
    assert desk.sidecar()["state"] == "failed"


async def test_a_flush_that_fails_in_the_background_is_told_at_the_next_byte(desk, monkeypatch):
    recording = desk.open()
    recording.output("stdout", b"x")

    def full(fd, data):
        raise OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        async with asyncio.timeout(5):
            while recording.held:
                await asyncio.sleep(0.005)
    with pytest.raises(EvidenceUnavailable):
        recording.input(b"y")
    with pytest.raises(EvidenceUnavailable):
        recording.finish(**HOW)


def test_a_folder_that_cannot_be_made_refuses_the_session(desk):
    desk.folder.write_text("")
    with pytest.raises(EvidenceUnavailable):
        desk.open()


def test_an_id_is_never_recorded_twice(desk):
    desk.open().finish(**HOW)
    before = desk.cast().read_bytes()
    with pytest.raises(EvidenceUnavailable):
        desk.open()
    assert desk.cast().read_bytes() == before


def test_finish_twice_is_refused(desk):
    recording = desk.open()
    recording.finish(**HOW)
    with pytest.raises(EvidenceUnavailable):
        recording.finish(**HOW)


@pytest.mark.parametrize("name", ["../../x", "", "x", ID.upper(), ID.replace("-", ""), f"{ID}\0"])
def test_path_traversal_by_an_id_refuses_the_session(desk, name):
    with pytest.raises(EvidenceUnavailable):
        desk.open(id=name)
    assert not desk.folder.exists()


def test_an_endless_yes_cannot_take_the_disk_from_the_audit_log(desk):
    recording = desk.open()
    recording.output("stdout", b"y\n")
    recording.flush()
    desk.recorder.reserve_bytes = recording._file._reserve_bytes = 1 << 62
    recording.output("stdout", b"y\n")
    with pytest.raises(EvidenceUnavailable) as error:
        recording.flush()
    assert "kept for the audit log" in error.value.detail
    with pytest.raises(EvidenceUnavailable):
        desk.open(id=OTHER)
    with pytest.raises(EvidenceUnavailable):
        recording.finish(**HOW)


async def test_a_thousand_sessions_are_flushed_in_many_turns_of_the_loop(desk):
    names = [ID[:-3] + f"{number:03d}" for number in range(20)]
    recordings = [desk.open(id=name) for name in names]
    for recording in recordings:
        recording.output("stdout", b"x")
    async with asyncio.timeout(5):
        while all(recording.held for recording in recordings):
            await asyncio.sleep(0)
        turns = 0
        while any(recording.held for recording in recordings):
            turns += 1
            await asyncio.sleep(0)
    assert turns >= 10
    recordings[0].output("stdout", b"y")
    async with asyncio.timeout(5):
        while recordings[0].held:
            await asyncio.sleep(0.005)
    for recording in recordings:
        recording.finish(**HOW)


def test_a_finished_recording_is_brought_to_the_disk_and_its_lock_given_up(desk, monkeypatch):
    synced = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (synced.append(fd), real(fd)))
    recording = desk.open()
    recording.finish(**HOW)
    desk.recorder._thread.shutdown()
    assert recording._file._file.fd in synced
    file = AppendFile(desk.cast(), new=False)
    file.lock()
    file.close()


@pytest.mark.parametrize("text", ['plain\x1b[0m\x7f\n"\\\0', "ä", "\x9b6n", "\u2028", "🙂"])
def test_cat_of_a_recording_is_harmless_to_a_terminal(desk, text):
    recording = desk.open()
    recording.output("stdout", text.encode())
    recording.finish(**HOW)
    assert desk.cast().read_bytes().isascii()
    assert b"\x1b" not in desk.cast().read_bytes()
    assert desk.events()[0][2] == text


KILLED = """
    import asyncio, sys
    from pathlib import Path
    from plane.recording.header import Header
    from plane.recording.recorder import Recorder

    async def main():
        recorder = Recorder(Path(sys.argv[1]), flush_seconds=0.01)
        recording = recorder.open(Header(id=sys.argv[2], audit_id="a", session="s", user="u", cluster="c"))
        number = 0
        while True:
            recording.output("stdout", b"%d\\n" % number)
            number += 1
            await asyncio.sleep(0.001)
            if number % 50 == 0:
                recording.flush()
                print(number, flush=True)

    asyncio.run(main())
"""


def test_kill_minus_9_leaves_a_recording_that_replays_to_the_last_flush(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path), ID], stdout=subprocess.PIPE
    )
    flushed = int([child.stdout.readline() for _ in range(3)][-1])
    child.send_signal(signal.SIGKILL)
    child.stdout.close()
    child.wait()
    (path,) = Path(tmp_path).glob(f"*/{ID}.cast")
    with path.open("rb") as file:
        assert json.loads(file.readline())["version"] == 2
        texts = [event.text for event in read_events(file)]
    assert texts[:flushed] == [f"{number}\n" for number in range(flushed)]
