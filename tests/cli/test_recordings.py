"""`plane recordings`: what was recorded, and the recording itself."""

import json

ITEM = {
    "id": "r1", "state": "complete", "user": "joe", "cluster": "west", "namespace": "default",
    "pod": "web", "container": "app", "command": ["sh", "-c", "echo \x1b[2J"],
    "started": "2026-11-24T10:00:00.000Z", "durationSeconds": 62.5, "protocol": "v5.channel.k8s.io",
}  # fmt: skip


def test_ls_shows_who_where_and_how_long(joe, plane):
    plane.recordings = [ITEM]
    title, row = joe.ok("recordings", "ls").splitlines()
    assert title.split() == [
        "ID",
        "STARTED",
        "USER",
        "CLUSTER",
        "POD",
        "LENGTH",
        "STATE",
        "COMMAND",
    ]
    assert "default/web/app   1m" in row
    assert row.endswith("sh -c echo \\x1b[2J")


def test_get_shows_the_sidecar(joe, plane):
    plane.recordings = [ITEM]
    assert json.loads(joe.ok("recordings", "get", "r1", "-o", "json")) == ITEM
    assert joe.run("recordings", "get", "none").code == 5


def test_get_saves_the_cast(joe, plane, tmp_path):
    plane.recordings = [ITEM]
    joe.ok("recordings", "get", "r1", "--cast", str(tmp_path / "x.cast"))
    assert (tmp_path / "x.cast").read_bytes() == plane.cast
    assert joe.ok("recordings", "get", "r1", "--cast", "-").encode() == plane.cast
