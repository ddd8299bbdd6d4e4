import contextlib
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube.spdy_dictionary import DICTIONARY
from plane.kube.spdyexec import SpdyExecTap
from plane.kube.tap import Ended, Input, Output, Resize, TapError

CUTS = st.lists(st.integers(0, 100_000), max_size=12)
FAILED = b'{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}'
ROLES = {1: "error", 3: "stdin", 5: "stdout", 7: "stderr", 9: "resize"}


class Session:
    """A tap with its streams open, and the two ends' encoders."""

    def __init__(self, wire, *, roles=ROLES, replied=True, json_status=True, tty=False):
        self.tap = SpdyExecTap(json_status=json_status, tty=tty)
        self.up, self.down = wire.spdy(), wire.spdy()
        self.opening = b"".join(self.up.syn(number, role) for number, role in roles.items())
        self.greeting = b"".join(self.down.reply(number) for number in roles if replied)
        self.tap.client(self.opening)
        self.tap.server(self.greeting)


@pytest.fixture
def session(wire):
    return lambda **how: Session(wire, **how)


def test_a_session_as_kubectl_1_27_has_it(session):
    s = session()
    t, up, down = s.tap, s.up, s.down
    assert t.client(up.data(9, b'{"Width":80,"Height":24}\n')) == [Resize(width=80, height=24)]
    assert t.client(up.data(3, b"ls\n") + up.ping()) == [Input(data=b"ls\n", size=3)]
    assert t.server(down.ping() + down.data(5, b"bin\n") + down.data(5, b"etc\n")) == [
        Output(stream="stdout", data=b"bin\netc\n")
    ]
    events = t.server(
        down.data(7, b"oops")
        + down.data(1, FAILED)
        + b"".join(down.data(number, fin=True) for number in (1, 5, 7))
        + b"".join(down.reset(number) for number in ROLES)
        + down.goaway(9)
    )
    assert events == [Output(stream="stderr", data=b"oops"), Ended(status=json.loads(FAILED))]
    assert events[-1].exit_code == 7
    assert t.client(up.goaway()) == []
    assert t.finish() == []


def test_stream_numbers_are_learned_not_assumed(session):
    s = session(roles={11: "stderr", 13: "error", 21: "stdout"})
    assert s.tap.server(s.down.data(21, b"out") + s.down.data(11, b"err")) == [
        Output(stream="stdout", data=b"out"),
        Output(stream="stderr", data=b"err"),
    ]


@given(
    st.lists(st.tuples(st.sampled_from([5, 7]), st.binary(max_size=100)), max_size=8), CUTS, CUTS
)
def test_a_session_survives_any_chunking(wire, writes, cuts, more_cuts):
    s = Session(wire, replied=False)
    t = SpdyExecTap(json_status=True, tty=False)
    typed = s.opening + b"".join(s.up.data(3, data) for _, data in writes)
    whole = b"".join(data for _, data in writes)
    inputs = [Input(data=whole, size=len(whole))] if whole else []
    assert wire.feed(t.client, typed, cuts) == inputs
    down = b"".join(s.down.reply(number) for number in ROLES)
    down += b"".join(s.down.data(number, data) for number, data in writes)
    down += s.down.data(1, FAILED[:20]) + s.down.data(1, FAILED[20:]) + s.down.data(1, fin=True)
    outputs = wire.merged([Output(stream=ROLES[n], data=data) for n, data in writes if data])
    expected = [*outputs, Ended(status=json.loads(FAILED))]
    assert wire.feed(t.server, down, more_cuts) == expected


def test_a_status_whose_stream_was_not_closed_is_told_at_the_end(session):
    s = session()
    assert s.tap.server(s.down.data(1, FAILED)) == []
    assert s.tap.finish() == [Ended(status=json.loads(FAILED))]


def test_nothing_said_is_nothing_told(session):
    s = session()
    assert s.tap.finish() == []


def test_before_v4_the_error_stream_is_text(session):
    s = session(json_status=False)
    assert s.tap.server(s.down.data(1, b"exit 7", fin=True)) == [
        Ended(status=None, message="exit 7")
    ]


OPENING_THREATS = {
    "duplicate streamtype": lambda w: w.syn(11, "stdout"),
    "unknown streamtype": lambda w: w.syn(11, "stdxxx"),
    "port-forward's streamtype": lambda w: w.syn(11, "data"),
    "missing streamtype": lambda w: w.syn(11),
    "duplicate stream id": lambda w: w.syn(5, "stdin"),
    "stream id that goes back": lambda w: w.syn(3, "resize"),
    "even stream id": lambda w: w.syn(12, "resize"),
    "stream id zero": lambda w: w.syn(0, "resize"),
    "data before the stream": lambda w: w.data(13, b"x"),
    "headers without a stream": lambda w: w.headers(13),
    "reset without a stream": lambda w: w.reset(13),
    "client writes to stdout": lambda w: w.data(5, b"forged"),
    "client writes to error": lambda w: w.data(1, b"forged"),
}


@pytest.mark.parametrize("threat", OPENING_THREATS)
def test_hostile_client_is_refused(session, threat):
    s = session(roles={1: "error", 5: "stdout", 7: "stderr"})
    with pytest.raises(TapError):
        s.tap.client(OPENING_THREATS[threat](s.up))


CLUSTER_THREATS = {
    "output on an unknown stream": lambda w: w.data(99, b"unrecorded"),
    "output on stdin": lambda w: w.data(3, b"unrecorded"),
    "output on resize": lambda w: w.data(9, b"unrecorded"),
    "a stream of the cluster's own": lambda w: w.syn(2, "stdout"),
    "reply to an unknown stream": lambda w: w.reply(99),
    "status bomb": lambda w: w.data(1, bytes(70_000)),
}


@pytest.mark.parametrize("threat", CLUSTER_THREATS)
def test_hostile_cluster_is_refused(session, threat):
    s = session()
    with pytest.raises(TapError):
        s.tap.server(CLUSTER_THREATS[threat](s.down))


def test_missing_resize_stream_is_no_fault(session):
    s = session(roles={1: "error", 3: "stdin", 5: "stdout"}, tty=True)
    assert s.tap.server(s.down.data(5, b"x")) == [Output(stream="stdout", data=b"x")]


def test_ending_closes_error_and_outputs(wire, session):
    s = session()
    s.tap.server(s.down.data(7, fin=True))
    assert s.down.read(s.tap.ending(wire.status)) == [
        ("data", 1, 1, wire.status),
        ("data", 5, 1, b""),
    ]


def test_ending_before_v4_is_text(wire, session):
    s = session(json_status=False, roles={1: "error"})
    assert s.down.read(s.tap.ending(wire.status)) == [("data", 1, 1, b"locked")]


@pytest.mark.parametrize("others", [0, 3])
def test_ending_before_the_cluster_replied_brings_the_reply_along(wire, session, others):
    """spdystream drops DATA of a stream without SYN_REPLY: the reason would be lost."""
    s = session(roles={1: "stdin", 3: "stdout", 5: "stderr", 7: "error"}, replied=False)
    inflate = zlib.decompressobj(zdict=DICTIONARY)
    for number in (1, 3, 5)[:others]:
        reply = s.down.reply(number, more=[("some", "header")])
        s.down.read(reply, inflate)
        s.tap.server(reply)
    frames = s.down.read(s.tap.ending(wire.status), inflate)
    assert frames[:2] == [(2, 7, 0, bytes(4)), ("data", 7, 1, wire.status)]
    assert frames[2:] == [("data", number, 1, b"") for number in (3, 5)[: max(0, others - 1)]]


def test_ending_before_the_error_stream_is_opened_says_goaway(wire, session):
    s = session(roles={})
    assert s.down.read(s.tap.ending(wire.status)) == [(7, 0, 0, bytes(4))]


def test_ending_after_the_clusters_own(wire, session):
    s = session()
    s.tap.server(s.down.data(1, FAILED, fin=True))
    assert s.down.read(s.tap.ending(wire.status)) == [(7, 9, 0, bytes(4))]
    s.tap.server(s.down.goaway(9))
    assert s.tap.ending(wire.status) == b""


def test_interrupt_types_into_a_terminal(session):
    s = session(tty=True)
    assert s.up.read(s.tap.interrupt()) == [("data", 3, 0, b"\x03\x04")]


def test_interrupt_closes_a_pipe_and_puts_no_bytes_into_it(session):
    s = session(tty=False)
    assert s.up.read(s.tap.interrupt()) == [("data", 3, 1, b"")]


def test_interrupt_needs_an_open_stdin(session):
    assert session(roles={1: "error", 3: "stdout"}).tap.interrupt() == b""
    s = session()
    s.tap.client(s.up.data(3, fin=True))
    assert s.tap.interrupt() == b""
    s = session()
    s.tap.client(s.up.reset(3))
    assert s.tap.interrupt() == b""


@given(st.lists(st.binary(max_size=100), max_size=5), CUTS)
def test_prefixes_are_frame_boundaries(wire, payloads, cuts):
    s = Session(wire)
    down = [(s.down.data(5, payload), True) for payload in payloads] + [(s.down.ping(), True)]
    wire.check_prefixes(s.tap.server, s.tap.safe_prefix, down, cuts)
    up = [(s.up.data(3, payload), True) for payload in payloads] + [(s.up.ping(), True)]
    wire.check_prefixes(s.tap.client, s.tap.client_prefix, up, cuts)


@given(st.binary(max_size=150), st.booleans(), CUTS)
def test_noise_is_followed_or_refused_but_never_crashes(wire, noise, from_client, cuts):
    s = Session(wire)
    with contextlib.suppress(TapError):
        wire.feed(s.tap.client if from_client else s.tap.server, noise, cuts)
    s.tap.finish()
