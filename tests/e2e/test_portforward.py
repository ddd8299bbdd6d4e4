"""kubectl port-forward through plane, over SPDY and over SPDY in WebSocket.

Proves:
- bytes pass both ways, on several connections at once
- the audit log has the ports
- a port that nobody listens on is an error for that connection and not for the session
"""

import contextlib
import re
import socket
import subprocess
import threading

import pytest
from cluster.wait import wait_for

pytestmark = [pytest.mark.usefixtures("real_node"), pytest.mark.node]
PORT = 8099


@pytest.fixture(scope="module")
def echo(pods):
    """A pod that sends back what it gets."""
    return pods("echo", f"nc -ll -p {PORT} -e cat")


@contextlib.contextmanager
def forwarded(person, program, namespace, pod, port):
    """Run port-forward to a port of its own choice, and give that port."""
    child = subprocess.Popen(
        person.kubectl_command("-n", namespace, "port-forward", f"pod/{pod}", f":{port}", program=program),
        env={**person.env, **program.env},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    lines = []
    reader = threading.Thread(target=lambda: [lines.append(line) for line in child.stdout])
    reader.start()
    try:
        wait_for(
            "port-forward",
            lambda: "Forwarding" in "".join(lines),
            seconds=20,
            evidence=lambda: str(lines),
        )
        yield int(re.search(r"127\.0\.0\.1:(\d+)", "".join(lines))[1]), lines
    finally:
        child.terminate()
        child.wait()
        reader.join()
        child.stdout.close()


def said_back(port, data):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        sender = threading.Thread(target=connection.sendall, args=(data,))
        sender.start()
        got = b""
        while len(got) < len(data) and (piece := connection.recv(65536)):
            got += piece
        sender.join()
    return got


def test_bytes_pass_both_ways_on_several_connections(alice, kubectl, namespace, echo):
    with forwarded(alice, kubectl, namespace, echo, PORT) as (port, _):
        for number in range(3):
            data = bytes([65 + number]) * 300_000
            assert said_back(port, data) == data


def test_the_audit_log_has_the_port(alice, admin, kubectl, namespace, echo):
    with forwarded(alice, kubectl, namespace, echo, PORT) as (port, _):
        said_back(port, b"hello")

    def ports():
        found = admin.plane_json(
            "ctl", "audit", "search", "--user", "alice@example.com", "--type", "port.open"
        )
        return [each for each in found if str(PORT) in str(each.get("details"))]

    wait_for("the audit event", lambda: bool(ports()), seconds=10)


def test_a_port_without_a_listener_is_an_error_of_that_connection_only(
    alice, kubectl, namespace, echo
):
    with forwarded(alice, kubectl, namespace, echo, 9) as (port, lines):
        with contextlib.suppress(OSError):
            assert said_back(port, b"anyone?") == b""
        wait_for(
            "kubectl's complaint",
            lambda: "rror" in "".join(lines),
            seconds=20,
            evidence=lambda: str(lines),
        )
