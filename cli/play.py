"""`plane play`: shows a recorded session as it happened, or its text at once."""

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import click

from cli.cast import Cast, Entry, read
from cli.client import client_for, segment
from cli.errors import CliError, ExitCode
from cli.login import proxy_option
from cli.output import safe
from cli.terminal import Plain, Screen

_LONGEST_WAIT = 86400.0


@click.command(short_help="Show a recorded session.")
@click.argument("recording", metavar="ID|FILE.cast")
@click.option("--speed", default=1.0, type=click.FloatRange(0.01, 1000), help="2 is twice as fast.")
@click.option(
    "--idle-limit", type=click.FloatRange(0), metavar="SECONDS", help="Never wait longer than this."
)
@click.option("--dump", is_flag=True, help="Print the text at once, as when piped.")
@proxy_option
def play(
    recording: str, *, speed: float, idle_limit: float | None, dump: bool, proxy: str | None
) -> None:
    """Show a recorded session: space pauses, q quits.

    Piped, it prints the text without waiting. Sequences that would act on your terminal
    (clipboard, title, answers typed for you) are left out.
    """
    with _opened(recording, proxy) as cast:
        if dump or not sys.stdout.isatty():
            _dump(cast)
            return
        _say_size(cast)
        limit = cast.idle_limit if idle_limit is None else idle_limit
        with _keys() as keys:
            _replay(cast, keys, speed=speed, limit=_LONGEST_WAIT if limit is None else limit)


@contextlib.contextmanager
def _opened(recording: str, proxy: str | None) -> Iterator[Cast]:
    path = Path(recording)
    if path.suffix == ".cast" or os.sep in recording or path.is_file():
        try:
            file = path.open("rb")
        except OSError as error:
            message = f"cannot read {safe(recording)}: {error.strerror}"
            raise CliError(message, code=ExitCode.NOT_FOUND) from error
        with file:
            yield read(file, name=safe(recording))
        return
    body = client_for(proxy).get_bytes(f"/v1/recordings/{segment(recording)}/cast")
    yield read(body.splitlines(keepends=True), name=safe(recording))


def _dump(cast: Cast) -> None:
    plain = Plain()
    for entry in cast.entries:
        _write(_marker(entry) if entry.marker else plain.feed(entry.text))
    sys.stdout.flush()


def _replay(cast: Cast, keys: "Keys", *, speed: float, limit: float) -> None:
    screen = Screen()
    due = time.monotonic()
    try:
        for entry in cast.entries:
            due += min(entry.wait, limit) / speed
            paused = keys.wait_until(due)
            if paused is None:
                break
            due += paused
            _write(_marker(entry) if entry.marker else screen.feed(entry.text))
            sys.stdout.flush()
    finally:
        _write(screen.reset() + "\n")
        sys.stdout.flush()


def _marker(entry: Entry) -> str:
    return f"\n[{safe(entry.text)}]\n"


def _write(text: str) -> None:
    # Whatever the locale is: a recording is UTF-8, and an odd character must not end it.
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


def _say_size(cast: Cast) -> None:
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    if columns and lines and (cast.width > columns or cast.height > lines):
        told = f"recorded at {cast.width}x{cast.height}, your terminal has {columns}x{lines}"
        print(told, file=sys.stderr)


class Keys(Protocol):
    """The person at the keyboard, if there is one."""

    def wait_until(self, due: float) -> float | None:
        """Wait until `due` (monotonic); the seconds it was paused, None to quit."""
        ...


class _NoKeys:
    def wait_until(self, due: float) -> float | None:
        time.sleep(max(0.0, due - time.monotonic()))
        return 0.0


class _Keyboard:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def wait_until(self, due: float) -> float | None:
        paused = 0.0
        while True:
            key = self._pressed(max(0.0, due + paused - time.monotonic()))
            if key == b" ":
                began = time.monotonic()
                while (key := self._pressed(None)) not in (b" ", b"q", b"\x04", b""):
                    pass
                paused += time.monotonic() - began
            if key in (b"q", b"\x04", b""):
                return None
            if key is None:
                return paused

    def _pressed(self, seconds: float | None) -> bytes | None:
        ready, _, _ = select.select([self._fd], [], [], seconds)
        return os.read(self._fd, 1) if ready else None


@contextlib.contextmanager
def _keys() -> Iterator[Keys]:
    if not sys.stdin.isatty():
        yield _NoKeys()
        return
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    # Not raw: line feeds still return the carriage, and ^C still ends the program.
    tty.setcbreak(fd)
    try:
        yield _Keyboard(fd)
    finally:
        # What was typed meanwhile, by the person or by the terminal, must not reach the shell.
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)
