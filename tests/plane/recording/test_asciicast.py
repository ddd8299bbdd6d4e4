import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.recording.asciicast import (
    BadCast,
    Code,
    Event,
    Text,
    event_line,
    header_line,
    read_events,
    read_header,
)


def test_header_and_events_are_read_as_they_were_written():
    first = header_line(width=80, height=24, timestamp=1764000000.7, more={"title": "t"})
    assert read_header(first) == {
        "version": 2, "width": 80, "height": 24, "timestamp": 1764000000, "title": "t",
    }  # fmt: skip
    lines = [event_line(0.5, Code.OUTPUT, "hi\r\n"), event_line(1, Code.RESIZE, "90x30")]
    assert list(read_events(lines)) == [
        Event(seconds=0.5, code="o", text="hi\r\n"),
        Event(seconds=1.0, code="r", text="90x30"),
    ]


def test_a_recording_shown_with_cat_does_nothing_to_a_terminal():
    line = event_line(0, Code.OUTPUT, "\x1b]0;x\x07\x9b2J\u202e")
    assert line.isascii()
    assert all(byte >= 0x20 or byte == 0x0A for byte in line)


def test_a_torn_last_line_ends_the_events():
    lines = [event_line(0, Code.OUTPUT, "a"), event_line(1, Code.OUTPUT, "b")[:-4]]
    assert [event.text for event in read_events(lines)] == ["a"]
    assert [event.text for event in read_events([lines[0], b"12\n"])] == ["a"]


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"version": 1}', b"\xff\n"])
def test_what_is_no_cast_is_refused(line):
    with pytest.raises(BadCast):
        read_header(line)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.data())
def test_characters_survive_any_chunking(whole, data):
    raw, text, parts = whole.encode(), Text(), []
    while raw:
        size = data.draw(st.integers(1, len(raw)))
        parts.append(text.decode(raw[:size]))
        raw = raw[size:]
    assert "".join(parts) == whole


@given(st.binary(), st.data())
def test_lossy_text_is_the_same_under_any_chunking(whole, data):
    raw, text, parts = whole, Text(), []
    while raw:
        size = data.draw(st.integers(1, len(raw)))
        found = text.decode(raw[:size])
        parts.append(text.lossy(raw[:size]) if found is None else found)
        raw = raw[size:]
    if text.forget():
        parts.append("\ufffd")
    assert "".join(parts) == whole.decode("utf-8", "replace")
    assert json.loads(event_line(0, Code.OUTPUT, "".join(parts)))[2] == "".join(parts)
