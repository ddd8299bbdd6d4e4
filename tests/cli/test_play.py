"""`plane play` on a real pseudo-terminal, and piped."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import time

import pytest

HEADER = {"version": 2, "width": 80, "height": 24}


def cast(path, *events, header=HEADER, torn=b""):
    lines = [json.dumps(each) for each in (header, *events)]
    path.write_bytes("\n".join([*lines, ""]).encode() + torn)
    return path


class Seat:
    """A person at a terminal of 80x24."""

    def __init__(self, person, *arguments, columns=80):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "cli", "play", *map(str, arguments)],
            env=person.env,
            cwd=person.home,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )

    def until(self, text):
        deadline = time.monotonic() + 30
        os.set_blocking(self.master, False)
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            try:
                self.shown += os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.01)
        return self.shown

    def type(self, keys):
        os.write(self.master, keys)

    def end(self):
        code = self.process.wait(30)
        after = termios.tcgetattr(self.slave)
        assert after[3] == self.before[3], "echo and line mode are back"
        self.until(b"\x1b[0m")
        os.close(self.slave)
        os.close(self.master)
        return code


def test_piped_it_prints_the_text_at_once_without_sequences(person, tmp_path):
    path = cast(tmp_path / "a.cast", [0.5, "o", "\x1b[31mred\x1b[0m\r\n"], [9999, "o", "end\r\n"],
                [9999, "i", "typed"], [9999, "r", "10x10"])  # fmt: skip
    assert person.ok("play", str(path)) == "red\nend\n"


def test_a_torn_last_line_and_markers_are_said(person, tmp_path):
    path = cast(tmp_path / "a.cast", [0, "o", "a\n"], [1, "m", "stdout: 7 bytes left out\x1b]0;"],
                torn=b'[2, "o", "to')  # fmt: skip
    assert person.ok("play", "--dump", str(path)) == (
        "a\n\n[stdout: 7 bytes left out\\x1b]0;]\n\n[the recording is damaged or cut off here]\n"
    )


@pytest.mark.parametrize("content", [b"", b"hello", b"[]\n", b'{"version": 3}\n', b"\xff\xfe"])
def test_a_file_that_is_no_recording_is_one_clear_error(person, tmp_path, content):
    path = tmp_path / "a.cast"
    path.write_bytes(content)
    result = person.run("play", str(path))
    assert (result.code, result.out) == (1, "")
    assert "is no recording (asciicast v2)" in result.err


def test_a_missing_file_is_not_found(person):
    result = person.run("play", "gone.cast")
    assert result.code == 5
    assert "cannot read gone.cast: No such file or directory" in result.err


def test_hostile_times_neither_fail_nor_wait_for_ever(person, tmp_path):
    path = tmp_path / "a.cast"
    events = b'[NaN,"o","a"]\n[-5,"o","b"]\n[Infinity,"o","c"]\n[1e999,"o","d"]\n'
    path.write_bytes(json.dumps(HEADER).encode() + b"\n" + events)
    assert person.ok("play", str(path)) == "abcd"


def test_at_a_terminal_it_keeps_the_times_and_can_be_paused_and_left(person, tmp_path):
    path = cast(tmp_path / "a.cast", [0, "o", "first\r\n"], [3600, "o", "second\r\n"])
    seat = Seat(person, path)
    seat.until(b"first")
    seat.type(b" x q")
    assert seat.end() == 0
    assert b"second" not in seat.shown


def test_pause_and_go_on(person, tmp_path):
    path = cast(tmp_path / "a.cast", [0, "o", "first\r\n"], [0.5, "o", "second\r\n"])
    seat = Seat(person, path)
    seat.until(b"first")
    seat.type(b"  ")
    seat.until(b"second")
    assert seat.end() == 0


def test_idle_limit_and_speed_shorten_the_waits(person, tmp_path):
    path = cast(tmp_path / "a.cast", [0, "o", "first"], [3600, "o", "second"], [3700, "o", "third"])
    seat = Seat(person, path, "--idle-limit", "0.02", "--speed", "2")
    seat.until(b"third")
    assert seat.end() == 0


def test_the_terminal_is_reset_after_a_hostile_recording(person, tmp_path):
    path = cast(tmp_path / "a.cast", [0, "o", "\x1b[?1049h\x1b[?25l\x1b]52;c;cm0K\x07\x1b[6nend"])
    seat = Seat(person, path)
    assert seat.end() == 0
    assert b"\x1b]52" not in seat.shown
    assert b"\x1b[6n" not in seat.shown
    assert b"\x1b[?1049l" in seat.shown.partition(b"end")[2]


def test_ctrl_c_leaves_with_130_and_a_terminal_that_works(person, tmp_path):
    path = cast(tmp_path / "a.cast", [0, "o", "first\x1b[31m"], [3600, "o", "second"])
    seat = Seat(person, path)
    seat.until(b"first")
    # The terminal has no session of its own here, so that ^C is sent as the signal it becomes.
    seat.process.send_signal(2)
    assert seat.end() == 130


def test_a_small_terminal_is_told_the_recorded_size(person, tmp_path):
    path = cast(tmp_path / "a.cast", [0, "o", "x"], header={**HEADER, "width": 120})
    seat = Seat(person, path)
    assert seat.end() == 0
    assert b"recorded at 120x24, your terminal has 80x24" in seat.shown
