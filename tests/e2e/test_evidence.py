"""Recordings and the audit log of real sessions.

Proves:
- a session on a terminal is recorded as it looked, and plays to the same text
- every request is one event with person, cluster, object and decision; refusals and logins too
- `audit tail -f` shows events as they happen
- after kill -9 of plane in the middle of a session, the recording plays up to the last flush, the
  audit log opens, and the session is listed as interrupted
"""

import json
import subprocess

import pytest
from cluster.wait import wait_for
from world.terminal import Terminal

pytestmark = [pytest.mark.usefixtures("real_node"), pytest.mark.node]


def newest(admin, mark):
    found = [each for each in admin.plane_json("recordings", "ls") if mark in str(each["command"])]
    return found[0] if found else None


def test_a_terminal_session_plays_to_what_was_seen(alice, admin, namespace, pod):
    command = alice.kubectl_command(
        "-n", namespace, "exec", "-it", pod, "--", "sh", "-c", "echo on-tape; sh"
    )
    with Terminal(command, env={**alice.env, "TERM": "xterm"}) as screen:
        screen.wait_for("# ")
        screen.type("echo $((6*7)) is the answer\n")
        screen.wait_for("42 is the answer")
        screen.type("exit 3\n")
        assert screen.wait() == 3
    about = newest(admin, "on-tape")
    assert (about["user"], about["cluster"], about["pod"]) == ("alice@example.com", "west", pod)
    assert about["exitCode"] == 3
    assert about["tty"] is True
    assert "42 is the answer" in admin.plane("play", "--dump", about["id"])


def test_a_recording_is_a_file_for_any_asciicast_player(alice, admin, namespace, pod, tmp_path):
    alice.kubectl("-n", namespace, "exec", pod, "--", "echo", "as-a-file")
    file = tmp_path / "session.cast"
    admin.plane("recordings", "get", newest(admin, "as-a-file")["id"], "--cast", str(file))
    head, *frames = file.read_text().splitlines()
    assert json.loads(head)["version"] == 2
    assert any("as-a-file" in json.loads(frame)[2] for frame in frames)
    assert "as-a-file" in admin.plane("play", "--no-timing", str(file))


def test_every_request_is_an_event(alice, admin, namespace, pod):
    alice.kubectl("-n", namespace, "get", "pod", pod)
    found = admin.plane_json(
        "ctl",
        "audit",
        "search",
        "--user",
        "alice@example.com",
        "--cluster",
        "west",
        "--verb",
        "get",
    )
    event = next(each for each in reversed(found) if each.get("objectRef", {}).get("name") == pod)
    assert event["responseStatus"]["code"] == 200
    assert event["decision"]["allowed"] is True
    assert event["decision"]["role"] == "developer"
    assert event["impersonatedUser"]["groups"] == ["developers", "system:authenticated"]
    assert event["sourceIPs"] == ["127.0.0.1"]


def test_refusals_and_logins_are_events_too(alice, admin):
    alice.try_kubectl("--server", f"{alice.server.url}/k8s/clusters/east", "get", "--raw", "/api")
    found = admin.plane_json("ctl", "audit", "search", "--user", "alice@example.com")
    assert any(each["type"] == "user.login" for each in found)
    refusal = next(each for each in reversed(found) if each.get("cluster") == "east")
    assert refusal["decision"]["allowed"] is False
    assert refusal["responseStatus"]["code"] == 403


def test_tail_follows(alice, admin, namespace):
    with subprocess.Popen(
        ["plane", "ctl", "audit", "tail", "-f", "-o", "json"], env={**admin.env, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as child:  # fmt: skip
        assert child.stdout.readline()  # it follows from here on
        alice.kubectl("-n", namespace, "get", "configmap", "kube-root-ca.crt")
        try:
            for _ in range(1000):
                if "kube-root-ca.crt" in child.stdout.readline():
                    break
            else:
                pytest.fail("the request did not show up")
        finally:
            child.kill()


def test_kill_9_leaves_a_recording_that_plays_and_a_log_that_opens(
    world, alice, admin, namespace, pod
):
    script = "echo before-the-kill; sleep 600"
    with subprocess.Popen(
        alice.kubectl_command("-n", namespace, "exec", pod, "--", "sh", "-c", script),
        env=alice.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as child:  # fmt: skip
        assert child.stdout.readline() == "before-the-kill\n"
        casts = world.server.data / "recordings"
        wait_for(
            "the flush",
            lambda: any(
                b"before-the-kill\\" in each.read_bytes() for each in casts.rglob("*.cast")
            ),
        )
        world.server.stop(now=True)
        child.wait(timeout=20)
    world.server.start()
    about = newest(admin, "before-the-kill")
    assert about["state"] == "interrupted"
    assert "before-the-kill" in admin.plane("play", "--dump", about["id"])
    ends = admin.plane_json(
        "ctl", "audit", "search", "--type", "session.end", "--user", "alice@example.com"
    )
    assert any("crash" in str(each) or "interrupted" in str(each) for each in ends)
    # The login survives: nobody logs in again because a server was restarted.
    alice.kubectl("get", "namespaces")
