"""`plane play`: the pace, the keys, and a terminal that is as it was before."""

import os
import pty
import select
import subprocess
import sys
import termios
import time
from types import SimpleNamespace

import pytest

from cli import cast, client
from cli.main import run
from cli.play import show
from cli.terminal import Screen

HEADER = '{"version": 2, "width": 80, "height": 24}\n'
RESET = Screen().reset()
ID = "4f1c1c1e-0d5c-4b51-9a53-0a4f6b1b2c3d"


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "demo.cast"
    path.write_text(
        HEADER
        + '[0.0, "o", "\\u001b]0;title\\u0007\\u001b[31mred\\u001b[0m\\r\\n"]\n'
        + '[0.1, "i", "typed"]\n'
        + '[0.2, "o", "done\\r\\n"]\n'
    )
    return path


def test_into_a_pipe_it_prints_plain_text_at_once(recording, capsys):
    assert run(["play", str(recording), "--speed", "0.01"]) == 0
    assert capsys.readouterr().out == "red\ndone\n"


def test_dump_is_the_same(recording, capsys):
    assert run(["play", "--dump", str(recording)]) == 0
    assert capsys.readouterr().out == "red\ndone\n"


def test_a_file_that_is_not_there_is_exit_code_5(capsys):
    assert run(["play", "nowhere\x1b[2J.cast"]) == 5
    assert "\x1b" not in capsys.readouterr().err


def test_a_file_that_is_no_recording_is_one_error(tmp_path, capsys):
    path = tmp_path / "x"
    path.write_bytes(b"\x1b[2J\0\n")
    assert run(["play", str(path)]) == 1
    assert capsys.readouterr().err == "error: this is no asciicast v2 recording\n"


@pytest.mark.parametrize("arguments", [["--speed", "0"], ["--idle-limit", "-1"], ["--speed", "x"]])
def test_wrong_flags_are_exit_code_2(recording, arguments):
    assert run(["play", str(recording), *arguments]) == 2


def test_an_id_is_fetched_from_the_server(monkeypatch, capsys):
    asked = []

    def get_bytes(path):
        asked.append(path)
        return (HEADER + '[0, "o", "from afar\\r\\n"]\n[1, "o", "to').encode()

    monkeypatch.setattr(client, "client_for", lambda proxy: SimpleNamespace(get_bytes=get_bytes))
    assert run(["play", ID.upper()]) == 0
    assert asked == [f"/v1/recordings/{ID}/cast"]
    assert capsys.readouterr().out == "from afar\n\n[the recording is cut off here]\n"


def test_what_was_left_out_is_said_and_a_marker_is_harmless(tmp_path, capsys):
    path = tmp_path / "a.cast"
    path.write_text(HEADER + '[0, "m", "stdout: 7 bytes left out\\u001b]0;"]\n')
    assert run(["play", str(path)]) == 0
    assert capsys.readouterr().out == "\n[stdout: 7 bytes left out\\x1b]0;]\n"


def played(pace, *, keys=()):
    """Everything that is written when the keys are pressed one wait after the other."""
    pressed = iter(keys)
    waits, written = [], []

    def wait(seconds):
        waits.append(seconds)
        key = next(pressed, None)
        if key is None:
            time.sleep(min(seconds, 0.01))
        return key or ""

    events = [(gap, cast.Event(seconds=0, code="o", text=text)) for gap, text in pace]
    show(events, wait=wait, write=written.append)
    return "".join(written), waits


def test_it_waits_as_long_as_the_pace_says():
    text, waits = played([(0, "a"), (0.005, "b")])
    assert text == f"ab{RESET}\r\n"
    assert 0 < waits[0] <= 0.005


def test_q_quits_and_resets_the_terminal():
    assert played([(0, "a"), (9, "b")], keys="q")[0] == f"a{RESET}\r\n"


def test_space_pauses_until_space():
    text, waits = played([(0.01, "a")], keys="  ")
    assert text == f"a{RESET}\r\n"
    assert waits[1] is None, "while it pauses, it waits for a key only"


def test_q_quits_while_it_pauses():
    assert played([(9, "a")], keys=" xq")[0] == f"{RESET}\r\n"


def test_an_interrupt_resets_the_terminal():
    written = []

    def interrupted(seconds):
        raise KeyboardInterrupt

    events = [(0, "\x1b[?1049h\x1b[31m"), (1, "b")]
    pace = [(gap, cast.Event(seconds=0, code="o", text=text)) for gap, text in events]
    with pytest.raises(KeyboardInterrupt):
        show(pace, wait=interrupted, write=written.append)
    assert "\x1b[?1049l" in written[-1]
    assert "\x1b[0m" in written[-1]


class Terminal:
    """A pseudo-terminal with the real command in it."""

    def __init__(self, *arguments):
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(self.ours, (24, 80))
        self.before = termios.tcgetattr(theirs)
        code = (
            "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
            "from cli.main import run; sys.exit(run(sys.argv[1:]))"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "play", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        self.theirs = theirs
        self.seen = b""

    def until(self, text):
        deadline = time.monotonic() + 20
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self.ours], [], [], 0.1)[0]:
                self.seen += os.read(self.ours, 65536)
        return self.seen

    def close(self):
        code = self.process.wait(20)
        after = termios.tcgetattr(self.theirs)
        os.close(self.theirs)
        os.close(self.ours)
        return code, after == self.before


@pytest.fixture
def endless(tmp_path):
    path = tmp_path / "endless.cast"
    path.write_text(HEADER + '[0.0, "o", "\\u001b[31mbegun\\u001b[6n"]\n[5000.0, "o", "never"]\n')
    return str(path)


def test_on_a_real_terminal_q_quits_and_its_modes_are_as_before(endless):
    terminal = Terminal(endless)
    assert b"\x1b[31mbegun" in terminal.until(b"begun")
    os.write(terminal.ours, b"q")
    terminal.until(b"\x1b[0m")
    assert b"\x1b[6n" not in terminal.seen
    assert terminal.close() == (0, True)


def test_on_a_real_terminal_interrupt_resets_it(endless):
    terminal = Terminal(endless)
    terminal.until(b"begun")
    os.write(terminal.ours, b"\x03")
    terminal.until(b"\x1b[0m")
    assert terminal.close() == (130, True)


def test_on_a_real_terminal_no_timing_shows_all_at_once(endless):
    terminal = Terminal(endless, "--no-timing")
    terminal.until(b"never")
    assert terminal.close() == (0, True)
