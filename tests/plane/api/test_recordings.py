import json

import pytest

from plane.audit.events import EventType
from plane.recording.header import Header
from plane.recording.recorder import Recorder

MINE = "00000000-0000-4000-8000-000000000001"
FOREIGN = "00000000-0000-4000-8000-000000000002"


@pytest.fixture(autouse=True)
def recordings(tmp_path):
    recorder = Recorder(tmp_path / "recordings")
    for name, connector, cluster in ((MINE, "local", "west"), (FOREIGN, "oidc", "east")):
        # The same display name and subject from another connector is another person.
        recording = recorder.open(
            Header(
                id=name,
                audit_id="a",
                session="s",
                user="joe",
                connector=connector,
                subject="joe",
                cluster=cluster,
                tty=True,
            )
        )
        recording.output("stdout", b"hello " * 50_000)
        recording.finish(exit_code=0, reason="", closed_by="client")


async def listed(stage, role, query=""):
    answer = await stage.call("GET", f"/v1/recordings{query}", role=role)
    assert answer.status_code == 200, await answer.get_data(as_text=True)
    return {each["id"] for each in (await answer.get_json())["items"]}


async def test_an_auditor_sees_all_recordings_and_that_is_in_the_log(stage):
    assert await listed(stage, "auditor") == {MINE, FOREIGN}
    assert await listed(stage, "auditor", "?cluster=east&since=2020-01-01T00:00:00Z") == {FOREIGN}
    assert stage.events[-1].type is EventType.RECORDING_ACCESS
    assert stage.events[-1].details["query"]["cluster"] == "east"


async def test_without_the_right_a_person_sees_their_own_only(stage):
    assert await listed(stage, "dev") == {MINE}
    assert (await stage.call("GET", f"/v1/recordings/{MINE}/cast", role="dev")).status_code == 200


@pytest.mark.parametrize("rest", ["", "/cast"])
async def test_a_foreign_recording_looks_as_if_it_did_not_exist(stage, rest):
    unknown = FOREIGN[:-1] + "9"
    answers = [
        await stage.call("GET", f"/v1/recordings/{name}{rest}", role="dev")
        for name in (FOREIGN, unknown)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    texts = [(await answer.get_json())["message"].partition(" (audit")[0] for answer in answers]
    assert texts[0].replace(FOREIGN, unknown) == texts[1]
    assert stage.events == []


async def test_the_cast_comes_whole_and_its_reading_is_in_the_log(stage, tmp_path):
    answer = await stage.call("GET", f"/v1/recordings/{FOREIGN}/cast", role="auditor")
    (path,) = tmp_path.glob(f"recordings/*/{FOREIGN}.cast")
    assert await answer.get_data(as_text=False) == path.read_bytes()
    assert answer.mimetype == "application/x-asciicast"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (event,) = stage.events
    assert event.type is EventType.RECORDING_ACCESS
    assert event.details == {"id": FOREIGN, "user": "joe", "cluster": "east", "cast": True}


async def test_the_sidecar_is_shown_as_it_is(stage, tmp_path):
    answer = await stage.call("GET", f"/v1/recordings/{MINE}", role="auditor")
    (path,) = tmp_path.glob(f"recordings/*/{MINE}.json")
    assert await answer.get_json() == json.loads(path.read_text())


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "x", "%00", MINE.upper() + "x"])
async def test_path_traversal_is_not_found(stage, name):
    for rest in ("", "/cast"):
        answer = await stage.call("GET", f"/v1/recordings/{name}{rest}", role="auditor")
        assert answer.status_code == 404


async def test_nothing_is_shown_when_the_reading_cannot_be_written(stage):
    stage.full = True
    for path in ("", f"/{MINE}", f"/{MINE}/cast"):
        answer = await stage.call("GET", f"/v1/recordings{path}", role="auditor")
        assert answer.status_code == 503


async def test_without_a_session_nothing_is_shown(stage):
    for path in ("", f"/{MINE}", f"/{MINE}/cast"):
        assert (await stage.call("GET", f"/v1/recordings{path}", role="")).status_code == 401
