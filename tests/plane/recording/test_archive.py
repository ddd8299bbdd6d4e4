import hashlib
import json
import os

import pytest

from plane.errors import NotFound
from plane.recording.archive import Archive, Wanted

IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)]
HOW = {"exit_code": 0, "reason": "", "closed_by": "client"}


@pytest.fixture
def archive(desk):
    return Archive(desk.folder)


def crashed(desk, name=IDS[0], torn=b'[3.0, "o", "to'):
    """What kill -9 leaves: the lock is gone with the process, the end is missing."""
    recording = desk.open(id=name)
    desk.seconds += 2
    recording.output("stdout", b"kept")
    recording.flush()
    recording._file.close()
    with desk.cast(name).open("ab") as file:
        file.write(torn)


def test_an_empty_archive_lists_nothing_and_sweeps_nothing(archive):
    assert archive.list() == []
    assert archive.sweep() == []


def test_recordings_are_listed_newest_first_over_days(desk, archive):
    for name in IDS:
        desk.open(id=name).finish(**HOW)
        desk.seconds += 40000
    assert [each["id"] for each in archive.list()] == IDS[::-1]
    assert [each["id"] for each in archive.list(Wanted(limit=2))] == IDS[:1:-1]


def test_they_are_found_by_person_place_and_time(desk, archive):
    start = desk.seconds
    desk.open(id=IDS[0], user="eve", subject="eve-1").finish(**HOW)
    desk.seconds += 86400
    desk.open(id=IDS[1], cluster="east").finish(**HOW)

    def found(**wanted):
        return [each["id"] for each in archive.list(Wanted(**wanted))]

    assert found(user="eve") == found(owner=("local", "eve-1")) == [IDS[0]]
    assert found(cluster="east") == found(since=start + 1) == [IDS[1]]
    assert found(until=start + 1) == [IDS[0]]
    assert found(namespace="shop", pod="web-0") == IDS[1::-1]
    assert found(owner=("oidc", "eve-1")) == found(pod="web-1") == []


def test_a_recording_without_a_subject_is_nobodys(desk, archive):
    desk.open(connector="", subject="").finish(**HOW)
    assert archive.list(Wanted(owner=("", ""))) == []


def test_a_live_recording_can_be_read_to_its_last_flush(desk, archive):
    recording = desk.open(id=IDS[0])
    recording.output("stdout", b"x")
    recording.flush()
    assert archive.get(IDS[0])["state"] == "recording"
    assert len(archive.cast_path(IDS[0]).read_bytes().splitlines()) == 2
    recording.finish(**HOW)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "", "x", IDS[0].upper() + "A", f"{{{IDS[0]}}}", IDS[0].replace("-", ""),
     f"2025-11-24/{IDS[0]}", f"{IDS[0]}\0", IDS[1]],
)  # fmt: skip
def test_path_traversal_and_unknown_ids_are_not_found(desk, archive, name):
    desk.open(id=IDS[0]).finish(**HOW)
    for ask in (archive.get, archive.cast_path):
        with pytest.raises(NotFound):
            ask(name)


def test_a_link_planted_as_a_cast_is_not_followed(desk, archive, tmp_path):
    desk.open(id=IDS[0]).finish(**HOW)
    (tmp_path / "secret").write_text("")
    os.symlink(tmp_path / "secret", desk.cast(IDS[0]).parent / f"{IDS[1]}.cast")
    with pytest.raises(NotFound):
        archive.cast_path(IDS[1])


def test_kill_minus_9_is_listed_as_interrupted_with_the_digest_of_what_is_there(desk, archive):
    crashed(desk)
    (closed,) = archive.sweep()
    raw = archive.cast_path(IDS[0]).read_bytes()
    assert [json.loads(line) for line in raw.splitlines()][1:] == [[2.0, "o", "kept"]]
    assert raw.endswith(b"\n")
    assert closed["sha256"] == hashlib.sha256(raw).hexdigest()
    told = [closed[key] for key in ("state", "closedBy", "durationSeconds", "ended")]
    assert told == ["interrupted", "crash", 2.0, "2025-11-24T16:00:02.000Z"]
    assert archive.get(IDS[0]) == closed
    assert archive.sweep() == []


def test_the_sweep_leaves_a_session_alone_that_is_recorded_right_now(desk, archive):
    recording = desk.open(id=IDS[0])
    assert archive.sweep() == []
    recording.output("stdout", b"goes on")
    recording.finish(**HOW)
    assert archive.get(IDS[0])["state"] == "complete"


def test_a_broken_sidecar_does_not_hide_the_others(desk, archive):
    crashed(desk)
    (desk.cast(IDS[0]).parent / f"{IDS[1]}.json").write_text("{")
    assert [each["id"] for each in archive.list()] == [IDS[0]]
    assert len(archive.sweep()) == 1
