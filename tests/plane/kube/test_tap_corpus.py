"""What kubectl 1.27, 1.30 and 1.33 and a real cluster (1.34) said, read by the taps.

tests/corpus/capture.py records it.
"""

import base64
import json
from itertools import groupby
from pathlib import Path

import pytest

from plane.kube.tap import (
    Ended,
    Input,
    Output,
    PortData,
    PortFailed,
    PortOpened,
    choose_tap,
    narrow,
    offered,
)

CORPUS = Path(__file__).parents[2] / "corpus"
SESSIONS = sorted(path.stem for path in CORPUS.glob("*.json"))
KUBECTLS = ("1.27", "1.30", "1.33")


def encoded(headers):
    return [(name.encode(), value.encode()) for name, value in headers]


def load(name):
    session = json.loads((CORPUS / f"{name}.json").read_text())
    asked = {
        "subresource": session["subresource"],
        "request_headers": encoded(session["request_headers"]),
    }
    offered(**asked)
    assert narrow(**asked) == asked["request_headers"]
    query = [tuple(pair) for pair in session["query"]]
    tap = choose_tap(**asked, response_headers=encoded(session["response_headers"]), query=query)
    chunks = [(side, base64.b64decode(data)) for side, data in session["chunks"]]
    return session, tap, chunks


def play(tap, chunks):
    events = [
        event
        for side, data in chunks
        for event in (tap.client if side == "c" else tap.server)(data)
    ]
    return events + tap.finish()


def summary(events):
    """What is the same under any chunking: bytes per stream, and the rest in order."""
    streams, ports, rest = {}, {}, []
    for event in events:
        if isinstance(event, Output | Input):
            name = event.stream if isinstance(event, Output) else "stdin"
            streams[name] = streams.get(name, b"") + event.data
        elif isinstance(event, PortData):
            sent, received = ports.get(event.port, (0, 0))
            ports[event.port] = (sent + event.sent, received + event.received)
        else:
            rest.append(event)
    return streams, ports, rest


def exit_code(events):
    [ended] = [event for event in events if isinstance(event, Ended)]
    return ended.exit_code


def test_the_corpus_is_there():
    assert {f"kubectl-{version}-exec" for version in KUBECTLS} <= set(SESSIONS)


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_real_bytes_survive_any_chunking(name, size):
    _, tap, chunks = load(name)
    whole = summary(play(tap, chunks))
    _, tap, _ = load(name)
    cut = []
    for side, group in groupby(chunks, key=lambda chunk: chunk[0]):
        data = b"".join(data for _, data in group)
        cut += [(side, data[i : i + size]) for i in range(0, len(data), size)]
    assert summary(play(tap, cut)) == whole
    assert tap.safe_prefix() == len(cut[-1][1]) or cut[-1][0] == "c"


@pytest.mark.parametrize("version", KUBECTLS)
def test_exec(version):
    _, tap, chunks = load(f"kubectl-{version}-exec")
    events = play(tap, chunks)
    typed = b"hello\n\0no newline"
    assert summary(events)[0] == {"stdin": typed, "stdout": typed, "stderr": b"oops\n"}
    assert exit_code(events) == 7


@pytest.mark.parametrize("version", KUBECTLS)
def test_output(version):
    _, tap, chunks = load(f"kubectl-{version}-output")
    events = play(tap, chunks)
    numbers = "".join(f"{i}\n" for i in range(1, 1501)).encode()
    assert summary(events)[0] == {"stdout": numbers}
    assert exit_code(events) == 0


@pytest.mark.parametrize("version", KUBECTLS)
def test_terminal(version):
    _, tap, chunks = load(f"kubectl-{version}-terminal")
    events = play(tap, chunks)
    streams, _, _ = summary(events)
    # Typed before kubectl had put the terminal into raw mode, a return is a newline.
    assert streams["stdin"].replace(b"\n", b"\r") == b"echo $((6*7))\rexit 3\r"
    assert b"\r\n42\r\n" in streams["stdout"]
    assert exit_code(events) == 3


@pytest.mark.parametrize("version", KUBECTLS)
def test_copy_is_a_tar_on_stdin(version):
    _, tap, chunks = load(f"kubectl-{version}-copy-1")
    events = play(tap, chunks)
    assert summary(events)[0]["stdin"][257:262] == b"ustar"
    assert exit_code(events) == 0


@pytest.mark.parametrize("version", KUBECTLS)
def test_forward(version):
    _, tap, chunks = load(f"kubectl-{version}-forward")
    _, ports, rest = summary(play(tap, chunks))
    assert rest == [PortOpened(port=8099)] * 2
    assert ports == {8099: (158, 426)}


@pytest.mark.parametrize("version", KUBECTLS)
def test_refused_port(version):
    _, tap, chunks = load(f"kubectl-{version}-refused")
    opened, failed, *_ = summary(play(tap, chunks))[2]
    assert opened == PortOpened(port=8098)
    assert isinstance(failed, PortFailed)
    assert "connection refused" in failed.message


@pytest.mark.parametrize("name", [name for name in SESSIONS if name.startswith("raw-exec")])
def test_protocols_that_no_kubectl_speaks(name):
    _, tap, chunks = load(name)
    events = play(tap, chunks)
    assert summary(events)[0] == {"stdin": b"echo $((6*7)); exit 7\n", "stdout": b"42\n"}
    [ended] = [event for event in events if isinstance(event, Ended)]
    assert (ended.exit_code == 7) == ("-v4." in name)
    assert ended.status or "exit code 7" in ended.message


def test_legacy_forward():
    _, tap, chunks = load("raw-forward-v4.channel.k8s.io")
    _, ports, rest = summary(play(tap, chunks))
    assert rest[:2] == [PortOpened(port=8099), PortOpened(port=8098)]
    assert [type(event) for event in rest[2:]] == [PortFailed]
    assert ports == {8099: (18, 213), 8098: (1, 0)}
