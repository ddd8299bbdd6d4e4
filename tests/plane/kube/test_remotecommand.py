import pytest
from hypothesis import given
from hypothesis import strategies as st

from plane.kube.remotecommand import (
    MAX_RESIZE_BYTES,
    MAX_STATUS_BYTES,
    Journal,
    message_of,
)
from plane.kube.tap import Ended, Input, Output, Resize, TapError


def journal(**how):
    return Journal(**{"json_status": True, **how})


def test_neighbours_are_joined_and_order_is_kept():
    j = journal()
    for stream, data in [("stdout", b"a"), ("stdout", b"b"), ("stderr", b"c"), ("stdout", b"d")]:
        j.output(stream, data)
    j.output("stderr", b"")
    assert j.take() == [
        Output(stream="stdout", data=b"ab"),
        Output(stream="stderr", data=b"c"),
        Output(stream="stdout", data=b"d"),
    ]
    assert j.take() == []


def test_an_unterminated_line_with_nul_is_told_at_once():
    """A recorder that waits for a line's end never sees it (kubectl-rexec #218)."""
    j = journal()
    j.output("stdout", b"\0no newline")
    assert j.take() == [Output(stream="stdout", data=b"\0no newline")]


def test_input_may_be_counted_only():
    j = journal()
    j.input(b"", 5)
    j.input(b"", 6)
    assert j.take() == [Input(data=b"", size=11)]


def test_empty_input_is_no_event():
    j = journal()
    j.input(b"", 0)
    assert j.take() == []


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535)), max_size=5), st.data())
def test_resizes_are_a_stream_of_json_cut_anywhere(sizes, data):
    text = "\n".join(f'{{"Width":{w},"Height":{h}}}' for w, h in sizes).encode()
    j, events = journal(), []
    while text:
        n = data.draw(st.integers(1, len(text)))
        j.resize(text[:n])
        events += j.take()
        text = text[n:]
    assert events == [Resize(width=w, height=h) for w, h in sizes]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (b'{"width":1,"HEIGHT":2}', (1, 2)),
        (b'{"Width":80}', (80, 0)),
        (b' \n\t{"Width":1,"Height":2,"X":"y"}', (1, 2)),
    ],
)
def test_resize_is_read_as_go_reads_it(text, size):
    j = journal()
    j.resize(text)
    assert j.take() == [Resize(width=size[0], height=size[1])]


@pytest.mark.parametrize(
    "garbage",
    [
        b"nonsense}",
        b"[]}",
        b'{"Width":65536,"Height":1}',
        b'{"Width":-1,"Height":1}',
        b'{"Width":"1","Height":1}',
        b'{"Width":true,"Height":1}',
        b'{"Width":1.5,"Height":1}',
        b"\0\xff}",
        b"[" * 4000 + b"}",
        b"x" * (MAX_RESIZE_BYTES + 1),
    ],
)
def test_resize_garbage_ends_the_listening_as_in_the_cluster(garbage):
    j = journal()
    j.resize(garbage)
    j.resize(b'{"Width":1,"Height":2}')
    assert j.take() == []


def test_an_endless_resize_holds_no_memory():
    j = journal()
    for _ in range(100):
        j.resize(b" {" * 1000)
    assert j._resizes is None


def test_status_is_told_once_and_whole():
    j = journal()
    j.output("stdout", b"x")
    j.error(b'{"status":')
    j.error(b'"Success"}')
    assert j.error_pending()
    j.error_end()
    j.error_end()
    ended = Ended(status={"status": "Success"})
    assert j.take() == [Output(stream="stdout", data=b"x"), ended]
    assert ended.exit_code == 0


@pytest.mark.parametrize(
    "said", [b"plain text", b"[1]", b"[" * 50_000, b'"Success"', b"\xff\xfe", b""]
)
def test_a_status_that_is_none_is_a_message(said):
    j = journal()
    j.error(said)
    j.error_end()
    assert j.take() == [Ended(status=None, message=said.decode("utf-8", "replace"))]


def test_before_v4_the_error_stream_is_text_even_if_it_looks_like_a_status():
    j = journal(json_status=False)
    j.error(b'{"status":"Success"}')
    j.error_end()
    assert j.take() == [Ended(status=None, message='{"status":"Success"}')]


def test_an_endless_status_is_refused():
    j = journal()
    j.error(bytes(MAX_STATUS_BYTES))
    with pytest.raises(TapError, match="longer"):
        j.error(b"x")


@pytest.mark.parametrize(
    ("status", "text"),
    [(b'{"message":"locked"}', b"locked"), (b"{}", b"{}"), (b"text", b"text"), (b"[1]", b"[1]")],
)
def test_message_of_a_status(status, text):
    assert message_of(status) == text
