"""A recording is read as far as it is one."""

import json

import pytest

from cli import cast
from cli.errors import CliError

HEADER = b'{"version": 2, "width": 80, "height": 24}\n'


def events(*lines):
    return list(cast.read([HEADER, *lines])[1])


def test_header_and_events_are_read():
    header, found = cast.read([HEADER, b'[0.5, "o", "hi"]\n', b'[1, "r", "90x30"]\n'])
    assert header["width"] == 80
    assert [(event.seconds, event.code, event.text) for event in found] == [
        (0.5, "o", "hi"),
        (1.0, "r", "90x30"),
    ]


@pytest.mark.parametrize(
    "first", [b"", b"x\n", b"[]\n", b'{"version": 1}\n', b"\xff\xfe\n", b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_recording_is_one_clear_error(first):
    with pytest.raises(CliError, match="no asciicast"):
        cast.read([first])


@pytest.mark.parametrize(
    "damaged", [b'[1.0, "o", "to', b"\n", b"{}\n", b'[1, "o"]\n', b"\xff\n", b'["1", "o", ""]\n'],
)  # fmt: skip
def test_a_torn_or_damaged_line_ends_the_recording_and_that_is_said(damaged):
    found = events(b'[0, "o", "a"]\n', damaged, b'[2, "o", "b"]\n')
    assert [(event.code, event.text) for event in found] == [
        ("o", "a"),
        ("m", "the recording is cut off here"),
    ]


def test_hostile_times_neither_run_backwards_nor_stop_the_replay():
    lines = [b"1.0", b"0.5", b"NaN", b"-7", b"1e400", b"2"]
    times = [event.seconds for event in events(*(b'[%s, "o", "x"]\n' % each for each in lines))]
    assert times == [1.0, 1.0, 1.0, 1.0, 1e9, 1e9]


def test_output_and_markers_are_shown_and_input_counts_as_waiting():
    found = events(b'[1, "o", "a"]\n', b'[2, "i", "x"]\n', b'[2, "m", ""]\n', b'[5, "o", "b"]\n')
    assert [(gap, event.text) for gap, event in cast.delays(found)] == [
        (1.0, "a"),
        (1.0, ""),
        (3.0, "b"),
    ]


def test_speed_and_idle_limit():
    found = events(b'[1, "o", "a"]\n', b'[61, "o", "b"]\n')
    assert [gap for gap, _ in cast.delays(found, speed=2, idle_limit=4)] == [0.5, 2.0]


def test_what_plane_records_is_read(tmp_path):
    from plane.recording.asciicast import Code, event_line, header_line

    head = header_line(width=80, height=24, timestamp=1.0, more={"title": "x"})
    line = event_line(0.25, Code.OUTPUT, "ä\x1b[0m\u2028")
    header, found = cast.read([head, line])
    assert header["title"] == "x"
    assert [event.text for event in found] == ["ä\x1b[0m\u2028"]
    assert json.loads(line) == [0.25, "o", "ä\x1b[0m\u2028"]
