"""No recording may do more to a terminal than show text."""

import re

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.terminal import Page, Screen

HOSTILE = {
    "clipboard written (OSC 52)": "\x1b]52;c;cm0gLXJmIC8K\x07",
    "window title set": "\x1b]0;pwned\x1b\\",
    "window title reported as input": "\x1b[21t",
    "hyperlink to a file": "\x1b]8;;file:///etc/passwd\x1b\\",
    "palette changed": "\x1b]4;0;rgb:ff/ff/ff\x07",
    "status asked (DSR)": "\x1b[6n",
    "status asked privately": "\x1b[?6n",
    "device asked (DA1)": "\x1b[c",
    "device asked (DA2)": "\x1b[>c",
    "device asked (DECID)": "\x1bZ",
    "setting asked (DECRQSS)": '\x1bP$q"p\x1b\\',
    "mode asked (DECRQM)": "\x1b[?1$p",
    "capabilities asked (XTGETTCAP)": "\x1bP+q544e\x1b\\",
    "answerback (ENQ)": "\x05",
    "user-defined keys (DECUDK)": "\x1bP0;1|17/6c73\x1b\\",
    "kitty graphics (APC)": "\x1b_Gf=24;AAAA\x1b\\",
    "privacy message (PM)": "\x1b^hidden\x1b\\",
    "SOS": "\x1bXhidden\x1b\\",
    "mouse reports": "\x1b[?1000h\x1b[?1006h",
    "bracketed paste": "\x1b[?2004h",
    "focus reports": "\x1b[?1004h",
    "application cursor keys": "\x1b[?1h",
    "application keypad": "\x1b=",
    "modified keys": "\x1b[>4;2m",
    "kitty keyboard": "\x1b[>1u",
    "insert mode": "\x1b[4h",
    "line feed mode": "\x1b[20h",
    "printing": "\x1b[5i",
    "window resized": "\x1b[8;1;1t",
    "margins": "\x1b[1;5s",
    "soft reset": "\x1b[!p",
    "screen alignment": "\x1b#8",
    "locking shift": "\x1bn",
    "other character set": "\x1b(A\x1b%@",
    "highlight tracking": "\x1b[1;1;1;1;1T",
    "scrollback erased": "\x1b[03J",
    "billion repeats": "\x1b[999999999b",
    "huge number": "\x1b[99999999A",
    "8-bit CSI": "\x9b",
    "8-bit OSC": "\x9d",
    "NUL, BEL and DEL": "\0\x07\x7f",
    "cancelled string": "\x1b]0;pw\x18",
}
FRIENDLY = [
    "\x1b[1;38;5;196mred\x1b[0m",
    "\x1b[38:2::1:2:3mx",
    "\x1b[2J\x1b[H",
    "\x1b[3;4Hx\x1b[K",
    "\x1b[?25l\x1b[?25h",
    "\x1b[?1049h\x1b[?1049l",
    "\x1b7\x1b8\x1bM",
    "\x1b(0lqk\x1b(B",
    "\x1b[2;10r\x1b[s\x1b[u",
    "x\x1b[20b",
    "a\tb\r\nc\b",
    "äöü 漢字 🙂",
]


@pytest.mark.parametrize("sequence", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_sequence_is_dropped(sequence):
    assert Screen().feed(f"a{sequence}b") == "ab"
    assert Page().feed(f"a{sequence}b") == "ab"


@pytest.mark.parametrize("sequence", FRIENDLY, ids=repr)
def test_what_programs_need_passes(sequence):
    assert Screen().feed(sequence) == sequence


@pytest.mark.parametrize("sequence", [*HOSTILE.values(), *FRIENDLY], ids=repr)
def test_a_sequence_cut_in_pieces_is_judged_as_a_whole(sequence):
    screen = Screen()
    whole = Screen().feed(f"a{sequence}b")
    assert "".join(screen.feed(char) for char in f"a{sequence}b") == whole


def test_forbidden_modes_are_picked_out_of_a_list():
    assert Screen().feed("\x1b[?1000;25;2004h") == "\x1b[?25h"


def test_a_full_reset_becomes_an_empty_screen():
    assert Screen().feed("\x1bc") == "\x1b[0m\x1b[r\x1b[H\x1b[2J"


def test_output_cannot_hide_in_a_string_that_never_ends():
    secret = "cat /etc/shadow " * 40
    assert secret in Screen().feed(f"\x1bP{secret}")
    assert secret in Screen().feed(f"\x1b]0;{secret}\x07")
    assert secret in Page().feed(f"\x1b_{secret}\x1b\\")


def test_a_sequence_in_a_shown_string_is_harmless():
    shown = Screen().feed("\x1bP" + "x" * 300 + "\x9b6n\x1b[6n")
    assert shown == "x" * 300 + "6n"


def test_half_characters_are_replaced():
    assert Screen().feed("\ud800x").encode() == "\ufffdx".encode()


def test_reset_leaves_the_alternate_screen_that_was_entered():
    screen = Screen()
    screen.feed("\x1b[?1049h\x1b[2;5r\x1b[31m\x1b[?25l")
    assert screen.reset() == ("\x1b[?1049l\x0f\x1b(B\x1b)B\x1b[0m\x1b[?7h\x1b[?25h\x1b7\x1b[r\x1b8")
    assert "1049" not in screen.reset()


def test_reset_does_not_leave_a_screen_that_was_left():
    screen = Screen()
    screen.feed("\x1b[?1049h\x1b[?1049l")
    assert "1049" not in screen.reset()


def test_a_page_has_only_text_and_line_feeds():
    page = Page()
    text = page.feed("\x1b[31mred\x1b[0m\r") + page.feed("\n50%\r") + page.feed("100%\x1b[K\r\n")
    assert text == "red\n50%\n100%\n"
    assert page.feed("x\r") + page.reset() == "x\n"


ALLOWED = re.compile(
    r"(?:[^\x00-\x1f\x7f-\x9f]|[\b\t\n\v\f\r\x0e\x0f]"
    r"|\x1b\[[0-9:;]*[@ABCDEFGHIJKLMPSTXZ`abdefmrsu]"
    r"|\x1b\[\?(?:7|25|47|1047|1048|1049)(?:;(?:7|25|47|1047|1048|1049))*[hl]"
    r"|\x1b(?:[78DEM]|[()][B0]))*"
)
SOUP = st.lists(
    st.sampled_from(["\x1b", "[", "]", "P", "?", ";", "1049", "h", "0", "6", "n", "\\", "\x07",
                     "\x9b", "\x18", "a", "(", "B", "\r", "x" * 300, "\ud800", "$", "q"])
    | st.text(max_size=3)
)  # fmt: skip


@given(SOUP)
def test_whatever_is_recorded_only_the_listed_sequences_come_out(pieces):
    screen, page = Screen(), Page()
    shown = "".join(screen.feed(piece) for piece in pieces)
    assert ALLOWED.fullmatch(shown)
    shown.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", "".join(map(page.feed, pieces)))


@given(SOUP)
def test_after_reset_a_real_terminal_writes_plain_text(pieces):
    """pyte is a terminal: after the reset a letter appears uncoloured, cursor shown."""
    terminal = pyte.Screen(80, 24)
    stream = pyte.Stream(terminal)
    screen = Screen()
    for piece in pieces:
        stream.feed(screen.feed(piece))
    stream.feed(screen.reset() + "\r\nZ")
    cell = terminal.buffer[terminal.cursor.y][0]
    assert (cell.data, cell.fg, cell.bold, terminal.cursor.hidden) == ("Z", "default", False, False)


def test_a_hostile_recording_costs_linear_time():
    for bomb in (
        "\x1b[" * 50_000,
        "\x1b]" + "x" * 200_000,
        "\x1b" * 100_000,
        "\x1b[" + "1;" * 99999,
    ):
        screen = Screen()
        for at in range(0, len(bomb), 4096):
            screen.feed(bomb[at : at + 4096])
