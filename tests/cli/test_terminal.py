import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.terminal import Plain, Screen


@pytest.mark.parametrize(
    "text",
    [
        "hello\r\n",
        "\x1b[1;31mred\x1b[0m",
        "\x1b[38:2::1:2:3mtrue colour",
        "\x1b[2J\x1b[H\x1b[10;20Hx\x1b[3A\x1b[K",
        "\x1b[2;10r\x1b[5S\x1b[T\x1bM",
        "\x1b[?1049h\x1b[?25l\x1b[?1049l",
        "\x1b(0lqk\x1b(B",
        "\x1b7\x1b8",
        "grüße 世界 🎉",
    ],
)
def test_what_programs_draw_with_passes(text):
    assert Screen().feed(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]52;c;cm0gLXJmIH4K\x07",  # writes the clipboard
        "\x1b]52;c;cm0gLXJmIH4K\x1b\\",
        "\x1b]0;title\x07",
        "\x1b]8;;file:///etc/passwd\x1b\\",
        "\x1b]1337;File=:AAAA\x07",
        "\x1bP$qm\x1b\\",  # makes the terminal type an answer
        "\x1bP+q544e\x1b\\",
        "\x1b_Gi=1;AAAA\x1b\\",
        "\x1b^pm\x1b\\",
        "\x1bXsos\x1b\\",
        "\x1b[c", "\x1b[>c", "\x1b[=c", "\x1b[5n", "\x1b[6n", "\x1b[?6n", "\x1bZ", "\x05",
        "\x1b[21t", "\x1b[8;1;1t", "\x1b[x", "\x1b[?1$p", "\x1b[>q",
        "\x1b[?1000h", "\x1b[?1003;1006h", "\x1b[?2004h", "\x1b[?1004h", "\x1b[>4;2m", "\x1b[>1u",
        "\x1b[3J", "\x1bc", "\x1b[!p", "\x1b%@", "\x1b#8", "\x1b=", "\x1b>", "\x1b[2 q",
        "\x1b[1;1;1;1;1T", "\x1b[?1s",
        "\x00\x07\x7f", "\x9c\x85\x84",
    ],
)  # fmt: skip
def test_what_acts_on_the_viewers_terminal_is_dropped(text):
    assert Screen().feed(f"a{text}b") == "ab"
    assert "".join(map(Screen().feed, [])) == ""


def test_c1_controls_are_dropped_and_what_follows_is_shown_as_text():
    assert Screen().feed("\x9d52;c;x\x07") == "52;c;x"
    assert Screen().feed("\x9b6n") == "6n"


def test_an_allowed_mode_in_a_list_of_forbidden_ones_passes_alone():
    assert Screen().feed("\x1b[?1000;25;2004h") == "\x1b[?25h"


def test_a_sequence_that_never_ends_does_not_hide_the_rest():
    for start in ("\x1b]0;", "\x1bP", "\x1b[" + "1" * 100):
        assert Screen().feed(start + "x" * 10_000 + "evidence").endswith("evidence")
    assert Screen().feed("\x1b[12\x1b[6n\x1b]x\x1b[31mred") == "\x1b[31mred"


def test_a_huge_count_does_not_keep_the_terminal_busy():
    assert Screen().feed("a\x1b[4000000000b") == "a\x1b[9999b"


def test_reset_leaves_the_alternate_screen_and_the_region_only_when_they_were_used():
    assert "1049" not in Screen().reset()
    screen = Screen()
    screen.feed("\x1b[?1049h\x1b[2;5r\x1b[31m\x1b[?25l\x1b]unfinished")
    end = screen.reset()
    assert end.startswith("\x1b[?1049l\x1b7\x1b[r\x1b8")
    assert end.endswith("\x1b[0m")
    assert screen.feed("x") == "x"


_alphabet = st.sampled_from(
    "\x1b[]P_^X\\\x07\x18\x9b\x9d\x9c?;:0123456789hlmnctqrJTuab>$ !\r\n\x05"
)


@given(st.text(_alphabet | st.characters(codec="utf-8")), st.data())
def test_no_chunking_lets_anything_else_pass(text, data):
    whole, cut, rest = Screen().feed(text), Screen(), text
    parts = []
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        parts.append(cut.feed(rest[:size]))
        rest = rest[size:]
    assert "".join(parts) == whole
    # What passes once passes again: nothing dangerous is put together by dropping.
    assert Screen().feed(whole) == whole
    assert not any("\x7f" <= character <= "\x9f" for character in whole)
    assert all(f"\x1b{kind}" not in whole for kind in "]P_^XcZ")


class Listener(pyte.Screen):
    """A terminal that must never be asked to type an answer."""

    typed = ""

    def write_process_input(self, data):
        self.typed += data


@given(st.text(_alphabet))
def test_a_terminal_never_types_an_answer(text):
    screen = Listener(80, 24)
    pyte.Stream(screen).feed(Screen().feed(text))
    assert screen.typed == ""
    assert screen.title == ""


def test_plain_text_has_lines_and_nothing_else():
    plain = Plain()
    text = "a\x1b[31mb\x1b[0m\r\n10%\r20%\r", "\nc\td\x08\x1b(0\x1b7e\x1b]0;t\x07"
    assert "".join(map(plain.feed, text)) == "ab\n10%\n20%\nc\tde"
