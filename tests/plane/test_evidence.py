"""Strict unless every role says otherwise; and what a crash cut off gets its end."""

import pytest
from loopback.corpus import load
from loopback.gate import Gate

from plane.clock import SYSTEM, Clock
from plane.evidence import RecordingRules, close_interrupted
from plane.identity.session import Session
from plane.proxy.call import Call, Peer
from plane.proxy.trail import Trail
from plane.recording.archive import Archive
from plane.recording.header import Header
from plane.recording.recorder import Recorder
from policies.parse import parse_role


def role(name, **options):
    return parse_role(
        {
            "kind": "role",
            "version": "v8",
            "metadata": {"name": name},
            "spec": {"options": options, "allow": {"kubernetes_labels": {"*": "*"}}},
        }
    )


ROLES = {
    "silent": role("silent"),
    "strict": role("strict", record_session={"default": "strict"}),
    "relaxed": role("relaxed", record_session={"default": "best_effort"}),
}


def trail_of(*roles):
    call = Call(method="GET", target=b"/", headers=[], peer=Peer(address=""), reply=None)
    trail = Trail(None, SYSTEM, call)
    trail.session = Session(
        id="s", user="joe", connector="c", subject="j", roles=roles, created=0.0, expires=1.0
    )
    return trail


@pytest.mark.parametrize(
    ("roles", "strict"),
    [
        ((), True),
        (("silent",), True),
        (("strict",), True),
        (("relaxed",), False),
        (("relaxed", "silent"), True),
        (("strict", "relaxed"), True),
        (("relaxed", "relaxed"), False),
    ],
)
def test_strict_unless_every_role_says_otherwise(roles, strict):
    rules = RecordingRules(lambda names: tuple(ROLES[name] for name in names), keep_input=False)
    assert rules.strict(trail_of(*roles)) is strict


@pytest.mark.parametrize("keep", [True, False])
def test_input_is_kept_where_the_configuration_says_so(keep):
    assert RecordingRules(lambda _: (), keep_input=keep).keep_input(trail_of()) is keep


async def test_a_recording_that_a_crash_left_open_gets_its_end_in_the_audit_log(tmp_path):
    recorder = Recorder(tmp_path, SYSTEM)
    header = Header(
        id="4f1c1c1e-0d5c-4b51-9a53-0a4f6b1b2c3d",
        audit_id="a1",
        session="s1",
        user="joe",
        cluster="west",
    )
    recording = recorder.open(header)
    recording.output("stdout", b"seen")
    recording.flush()
    archive, events = Archive(tmp_path), []
    close_interrupted(archive, events.append, SYSTEM)
    assert not events  # it is alive: its lock is held

    recording._file.close()  # what the kernel does at kill -9
    close_interrupted(archive, events.append, Clock(now=lambda: 5.0))
    [event] = events
    assert event.type == "session.end"
    assert (event.audit_id, event.cluster, event.time) == (header.id, "west", 5.0)
    assert (event.actor.username, event.actor.session) == ("joe", "s1")
    assert event.details["closedBy"] == "crash"
    assert event.details["requestAuditID"] == "a1"

    close_interrupted(archive, events.append, SYSTEM)
    assert len(events) == 1  # told once


async def test_a_finished_session_is_not_interrupted(tmp_path):
    talk = load("kubectl-1.33-exec")
    async with Gate(tmp_path, talk.cluster).open() as gate:
        _, token = await gate.login()
        async with gate.connect() as client:
            await talk.client(client, token)
        await gate.ended(type="session.end")
        events = []
        close_interrupted(Archive(tmp_path / "recordings"), events.append, SYSTEM)
    assert not events
