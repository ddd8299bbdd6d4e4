"""exec, attach and port-forward with the bytes of real kubectls, from socket to evidence."""

import asyncio
import hashlib

import pytest
from loopback import corpus
from loopback.cluster import answer
from loopback.corpus import KEY, load

KUBECTLS = ("1.27", "1.30", "1.33")


async def run(gate, talk, *lines, roles=("access",), chunks=None):
    """Play the whole session; (head of the answer, bytes that the client got after it)."""
    if gate.cluster.script.__name__ == "ok":
        gate.cluster.script = talk.cluster
    _, token = await gate.login(roles=roles)
    async with gate.connect() as client:
        return await talk.client(client, token, *lines, chunks=chunks)


@pytest.mark.parametrize("name", corpus.NAMES)
async def test_real_bytes_pass_unchanged_and_end_in_the_audit_log(gate, name):
    talk = load(name)
    head, got = await run(gate, talk)
    end = await gate.ended(type="session.end")
    done = await gate.ended(type="kube.request", stage="ResponseComplete")

    assert head.code == 101
    assert got == talk.said("s")
    assert gate.cluster.got.partition(b"\r\n\r\n")[2] == talk.said("c")
    if end["details"]["closedBy"] == "cluster":
        assert "reason" not in end["details"]
    assert end["details"]["requestAuditID"] == done["auditID"]
    assert end["auditID"] == done["details"]["sessionID"]
    assert done["responseStatus"]["code"] == 101
    assert end["details"].get("recorded") == (True if talk.subresource == "exec" else None)
    assert len(gate.live) == 0


@pytest.mark.parametrize("version", KUBECTLS)
async def test_exec_is_recorded_with_its_exit_code(gate, version):
    """1.27 speaks SPDY, the others WebSocket."""
    talk = load(f"kubectl-{version}-exec")
    await run(gate, talk)
    end = (await gate.ended(type="session.end"))["details"]
    header, events = gate.cast()
    shown = "".join(text for _, kind, text in events if kind == "o")

    assert shown.replace("oops\n", "") == "hello\n\0no newline"
    assert "oops\n" in shown
    assert end["exitCode"] == 7
    assert end["closedBy"] == "cluster"
    assert end["bytes"] == {"stdin": 17, "stdout": 17, "stderr": 5}
    assert end["command"][0] == "sh"
    assert header["title"] == "joe on west: default/p/corpus"
    [path] = gate.casts()
    assert end["recording"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert gate.sidecar()["state"] == "complete"
    assert gate.sidecar()["exitCode"] == 7
    [start] = gate.lines(type="session.start")
    assert start["auditID"] == gate.sidecar()["id"] == path.stem


@pytest.mark.parametrize("version", KUBECTLS)
async def test_a_terminal_is_recorded_with_its_size_and_without_its_keys(gate, version):
    await run(gate, load(f"kubectl-{version}-terminal"))
    end = (await gate.ended(type="session.end"))["details"]
    _, events = gate.cast()

    assert "42" in "".join(text for _, kind, text in events if kind == "o")
    assert {kind for _, kind, _ in events} == {"o", "r"}
    assert end["exitCode"] == 3
    assert end["tty"] is True


@pytest.mark.parametrize("version", KUBECTLS)
async def test_ports_are_in_the_audit_log(gate, version):
    await run(gate, load(f"kubectl-{version}-forward"))
    end = await gate.ended(type="session.end")
    ports = gate.lines(type="port.open")

    assert [line["details"]["port"] for line in ports] == [8099, 8099]
    assert {line["details"]["sessionID"] for line in ports} == {end["auditID"]}
    assert end["details"]["bytes"] == {"port": 158 + 426}
    assert not gate.casts()


@pytest.mark.parametrize("version", KUBECTLS)
async def test_a_port_that_refuses_is_in_the_audit_log(gate, version):
    await run(gate, load(f"kubectl-{version}-refused"))
    await gate.ended(type="session.end")
    errors = [line["details"].get("error", "") for line in gate.lines(type="port.open")]
    assert any("connection refused" in error for error in errors)


@pytest.mark.parametrize("version", ["1.27", "1.33"])
async def test_a_session_is_on_disk_before_the_cluster_sees_a_byte(gate, version):
    """The RequestReceived line and the recording's sidecar."""
    talk = load(f"kubectl-{version}-exec")
    found = {}

    async def look(asked):
        found["stages"] = [line["stage"] for line in gate.lines()]
        found["state"] = gate.sidecar()["state"]
        return await talk.cluster(asked)

    gate.cluster.script = look
    await run(gate, talk)
    assert found == {"stages": ["RequestReceived"], "state": "recording"}


async def test_the_cluster_sees_the_upgrade_as_our_own_request(gate):
    talk = load("kubectl-1.33-exec")
    _, token = await gate.login()
    gate.cluster.script = talk.cluster
    stolen = b"Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io." + token.encode()
    lines = [stolen, b"Cookie: a=secret", b"Sec-WebSocket-Extensions: permessage-deflate"]
    async with gate.connect() as client:
        await talk.client(client, token, *lines)

    [asked] = gate.cluster.asked
    assert asked.impersonated[0] == (b"Impersonate-User", b"joe")
    assert asked.all(b"authorization") == [b"Bearer plane-own-token"]
    assert asked.all(b"upgrade") == [b"websocket"]
    assert asked.all(b"connection") == [b"Upgrade"]
    assert asked.all(b"sec-websocket-key") == [KEY]
    for secret in (token.encode(), b"secret", b"deflate", b"bearer"):
        assert secret not in asked.head


@pytest.mark.parametrize("name", ["kubectl-1.27-exec", "kubectl-1.33-exec"])
async def test_a_protocol_that_nobody_follows_is_not_offered_to_the_cluster(gate, name):
    """A newer cluster might choose it, and the command would run unrecorded or be cut off."""
    talk = load(name)
    header = b"Sec-WebSocket-Protocol" if talk.websocket else b"X-Stream-Protocol-Version"
    head, _ = await run(gate, talk, header + b": v9.channel.k8s.io")

    assert head.code == 101
    assert b"v9" not in gate.cluster.got


@pytest.mark.parametrize(
    "lines",
    [
        [b"Upgrade: websocket", b"Sec-WebSocket-Protocol: v9.channel.k8s.io"],
        [b"Upgrade: websocket"],
        [b"Upgrade: websocket", b"Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io"],
        [b"Upgrade: SPDY/3.1", b"X-Stream-Protocol-Version: v9.channel.k8s.io"],
        [b"Upgrade: h2c"],
        [b"Upgrade: websocket, SPDY/3.1", b"X-Stream-Protocol-Version: v4.channel.k8s.io"],
        [b"Upgrade: websocket", b"Upgrade: SPDY/3.1", b"Sec-WebSocket-Protocol: v5.channel.k8s.io"],
    ],
    ids=lambda lines: b" ".join(lines).decode(),
)
async def test_a_protocol_the_tap_cannot_follow_never_reaches_the_cluster(gate, lines):
    _, token = await gate.login()
    target = "/api/v1/namespaces/default/pods/p/exec?command=id&stdout=true"
    found = await gate.ask(target, b"Connection: Upgrade", *lines, token=token)

    assert found.code == 400
    assert found.status
    assert not gate.cluster.got
    assert not gate.casts()


@pytest.mark.parametrize("subresource", ["exec", "attach", "portforward"])
async def test_a_stream_without_an_upgrade_is_refused(gate, subresource):
    _, token = await gate.login()
    target = f"/api/v1/namespaces/default/pods/p/{subresource}?command=id"
    found = await gate.ask(target, method="POST", token=token)
    assert found.code == 400
    assert not gate.cluster.got


@pytest.mark.parametrize("name", ["kubectl-1.27-exec", "kubectl-1.33-exec"])
async def test_exec_without_the_right_is_refused_on_both_protocols_and_joined(gate, name):
    """kubectl tries WebSocket, then SPDY: both refused, one session hint in both lines."""
    _, token = await gate.login(roles=("reader",))
    talk = load(name)
    async with gate.connect() as client:
        client.writer.write(talk.request(token, b"Kubectl-Session: one"))
        found = await client.answered()

    assert found.code == 403
    assert found.status["reason"] == "Forbidden"
    assert not gate.cluster.got
    assert gate.lines()[0]["details"]["kubectlSession"] == "one"


REFUSALS = {
    "ok": (answer(200, b"hello"), 503),
    "redirect": (answer(302, b"", b"Location: http://169.254.169.254/"), 503),
    "forbidden": (answer(403, b'{"kind":"Status"}'), 403),
    "not_found": (answer(404, b'{"kind":"Status"}'), 404),
    "server_error": (answer(500, b"oops"), 500),
    "garbage": (b"SSH-2.0-OpenSSH\r\n\r\n", 503),
    "nothing": (b"", 503),
    "half_a_head": (b"HTTP/1.1 101 Switching", 503),
    "endless": (b"HTTP/1.1 403 X\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 2_000_000, 503),
    "bare_101": (b"HTTP/1.1 101 X\r\n\r\n", 503),
}


@pytest.mark.parametrize("name", ["kubectl-1.27-exec", "kubectl-1.33-exec"])
@pytest.mark.parametrize(("said", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_anything_but_a_true_101_is_not_spliced(gate, name, said, code):
    """CVE-2018-1002105, CVE-2020-8559: no raw connection to the cluster is left to the client."""

    async def script(asked):
        asked.writer.write(said)
        return True

    gate.cluster.script = script
    talk = load(name)
    _, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(talk.request(token))
        found = await client.answered()
        # Whatever a client sends now is no request to the cluster under plane's identity.
        client.writer.write(b"GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await client.rest() == b""

    assert found.code == code
    assert found.first(b"location") is None
    if code == 503:
        assert "west" in found.status["message"]
    assert b"secrets" not in gate.cluster.got
    assert len(gate.cluster.asked) == 1
    done = await gate.ended(type="kube.request", stage="ResponseComplete")
    assert done["responseStatus"]["code"] == code
    end = await gate.ended(type="session.end")
    assert end["details"]["reason"]
    assert not gate.lines(type="session.start")
    assert gate.sidecar()["state"] == "complete"


@pytest.mark.parametrize(
    "change",
    [
        (b"Sec-WebSocket-Accept: ", b"Sec-WebSocket-Accept: AAAA"),
        (b"Upgrade: websocket", b"Upgrade: SPDY/3.1"),
        (b"Upgrade: websocket", b"X: y"),
        (b"v5.channel.k8s.io", b"v4.channel.k8s.io"),
        (b"v5.channel.k8s.io", b"v9.channel.k8s.io"),
        (b"Sec-WebSocket-Protocol: v5.channel.k8s.io", b"X: y"),
        (b"Connection: Upgrade", b"Connection: Upgrade\r\nSec-WebSocket-Extensions: x-deflate"),
    ],
    ids=lambda change: change[1].decode(),
)
async def test_a_101_for_something_else_is_not_spliced(gate, change):
    talk = load("kubectl-1.33-exec")

    async def script(asked):
        switching = talk.switching()
        assert change[0] in switching
        asked.writer.write(switching.replace(*change) + b"\x82\x07\x01secret")
        await asked.reader.read()

    gate.cluster.script = script
    _, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(talk.request(token))
        found = await client.answered()

    assert found.code == 503
    assert b"secret" not in found.body
    assert not gate.lines(type="session.start")


@pytest.mark.parametrize("name", ["kubectl-1.27-exec", "kubectl-1.33-exec"])
async def test_a_recording_that_cannot_be_opened_refuses_the_session(gate, name):
    _, token = await gate.login()
    talk = load(name)
    with gate.full_disk("recordings"):
        async with gate.connect() as client:
            client.writer.write(talk.request(token))
            found = await client.answered()

    assert found.code == 503
    assert "recording cannot be written" in found.status["message"]
    assert not gate.cluster.got


async def test_best_effort_goes_on_without_a_recording_and_says_so(gate):
    talk = load("kubectl-1.33-exec")
    with gate.full_disk("recordings"):
        _, got = await run(gate, talk, roles=("relaxed",))
        end = await gate.ended(type="session.end")

    assert got == talk.said("s")
    assert end["details"]["recorded"] is False
    assert end["details"]["exitCode"] == 7


@pytest.mark.parametrize("roles", [("access",), ("access", "relaxed"), ("relaxed", "access")])
@pytest.mark.parametrize("name", ["kubectl-1.27-output", "kubectl-1.33-output"])
async def test_a_recording_that_fails_midway_ends_the_session_with_its_reason(gate, name, roles):
    """Strict unless every role says otherwise; nothing unrecorded is shown."""
    talk = load(name)
    output = next(i for i, (_, data) in enumerate(talk.chunks) if len(data) > 6000)
    talk.chunks = talk.chunks[: output + 1]  # the command is still running
    typed = [chunk for chunk in talk.chunks if chunk[0] == "c"]
    with _failing(gate, talk):
        head, got = await run(gate, talk, roles=roles, chunks=typed)
        end = await gate.ended(type="session.end")

    assert head.code == 101
    assert b"1499" not in got
    assert b'"kind": "Status"' in got
    assert b"recording cannot be written" in got
    assert end["details"]["closedBy"] == "plane"
    assert "recording" in end["details"]["reason"]
    done = await gate.ended(type="kube.request", stage="ResponseComplete")
    assert done["responseStatus"]["code"] == 403


@pytest.mark.parametrize("name", ["kubectl-1.27-output", "kubectl-1.33-output"])
async def test_best_effort_goes_on_when_the_recording_fails_midway(gate, name):
    talk = load(name)
    with _failing(gate, talk, stays=False):
        head, got = await run(gate, talk, roles=("relaxed",))
        end = await gate.ended(type="session.end")

    assert head.code == 101
    assert got == talk.said("s")
    assert end["details"]["exitCode"] == 0
    done = await gate.ended(type="kube.request", stage="ResponseComplete")
    assert done["responseStatus"]["code"] == 101


def _failing(gate, talk, *, stays=True):
    """The disk is full from the moment of the 101; each event is written at once."""
    gate.recorder._flush_bytes = 1
    disk = gate.full_disk("recordings")

    async def script(asked):
        disk.__enter__()
        await talk.cluster(asked)
        if stays:
            await asked.reader.read()
        return True

    gate.cluster.script = script

    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            disk.__exit__(None, None, None)

    return Full()


async def test_a_session_whose_start_cannot_be_audited_is_not_shown(gate):
    talk = load("kubectl-1.33-exec")
    disk = gate.full_disk()

    async def script(asked):
        disk.__enter__()
        return await talk.cluster(asked)

    gate.cluster.script = script
    try:
        head, _ = await run(gate, talk)
    finally:
        disk.__exit__(None, None, None)
    assert head.code == 503


async def test_input_is_recorded_only_where_it_is_asked_for(tmp_path):
    from loopback.gate import Gate

    talk = load("kubectl-1.33-exec")
    async with Gate(tmp_path).open(keep_input=True) as gate:
        await run(gate, talk)
        await gate.ended(type="session.end")
        _, events = gate.cast()
    assert "".join(text for _, kind, text in events if kind == "i") == "hello\n\0no newline"


async def test_secrets_in_a_command_are_not_in_the_evidence(gate):
    talk = load("kubectl-1.33-exec")
    talk.query = [*talk.query, ["command", "--password=hunter2"]]
    await run(gate, talk)
    await gate.ended(type="session.end")

    assert b"hunter2" in gate.cluster.got
    assert b"hunter2" not in gate.audit_bytes()
    assert "hunter2" not in str(gate.sidecar())
    assert b"hunter2" not in gate.casts()[0].read_bytes()


async def test_a_client_that_leaves_its_exec_ends_it_at_the_cluster(gate):
    talk = load("kubectl-1.33-terminal")
    gone = asyncio.Event()

    async def script(asked):
        asked.writer.write(talk.switching() + b"\x82\x03\x01$ ")
        await asked.reader.read(-1)
        gone.set()

    gate.cluster.script = script
    _, token = await gate.login()
    async with gate.connect() as client:
        client.writer.write(talk.request(token))
        await client.head()
        assert await client.reader.readexactly(5) == b"\x82\x03\x01$ "
    end = await gate.ended(type="session.end")
    async with asyncio.timeout(10):
        await gone.wait()

    assert end["details"]["closedBy"] == "client"
    assert len(gate.live) == 0
    assert not gate.limits._under_way


async def test_bytes_no_tap_understands_end_the_session(gate):
    """Frames over the limit or masked by the cluster: the recording would have a hole."""
    talk = load("kubectl-1.33-exec")

    async def script(asked):
        asked.writer.write(talk.switching() + b"\x82\x87\0\0\0\0\x01secret")
        await asked.reader.read()

    gate.cluster.script = script
    _, got = await run(gate, talk, chunks=[])
    end = await gate.ended(type="session.end")

    assert b"secret" not in got
    assert end["details"]["closedBy"] == "plane"
    assert end["details"]["reason"].startswith("plane ended this session")
