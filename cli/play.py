"""`plane play`: show a recorded session again, at its own pace, safe for the terminal."""

import io
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cli import cast
from cli.errors import CliError, ExitCode
from cli.login import proxy_option
from cli.output import Document, mapping, safe
from cli.terminal import Page, Screen

_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
Wait = Callable[[float | None], str]


@click.command(short_help="Replay a recorded session.")
@click.argument("recording", metavar="ID|FILE.cast")
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 1000),
    default=1.0,
    show_default=True,
    help="Play this many times faster.",
)
@click.option(
    "--idle-limit",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Never pause longer than this.",
)
@click.option("--no-timing", is_flag=True, help="Show everything at once.")
@click.option("--dump", is_flag=True, help="Print plain text without colours or cursor movement.")
@proxy_option
def play(
    recording: str, *, speed: float, idle_limit: float | None, no_timing: bool, dump: bool,
    proxy: str | None,
) -> None:  # fmt: skip
    """Replay a recording by its ID (see `plane recordings ls`) or from a file (- is stdin).

    Space pauses and goes on, q or ^C quits. Into a pipe or file, plain text is written at once.
    What was recorded can do nothing to your terminal but show text.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a locale without UTF-8 must not end the replay
    with _lines(recording, proxy) as lines:
        header, events = cast.read(lines)
        if dump or not sys.stdout.isatty():
            write_page(events)
            return
        _warn_if_small(header)
        pace = cast.delays(events, speed=speed, idle_limit=0.0 if no_timing else idle_limit)
        with _keyboard() as wait:
            show(pace, wait=wait, write=_write)


def write_page(events: Iterable[cast.Event]) -> None:
    """Print what was shown as plain text."""
    page = Page()
    for event in events:
        if event.code == "o":
            _write(page.feed(event.text))
        elif event.code == "m":
            _write(_marker(event))
    _write(page.reset())


def show(
    pace: Iterable[tuple[float, cast.Event]], *, wait: Wait, write: Callable[[str], None]
) -> None:
    """Write the events at their pace; `wait` sleeps at most that long and returns a key or ""."""
    screen = Screen()
    try:
        for seconds, event in pace:
            if not _pause(seconds, wait):
                break
            write(_marker(event) if event.code == "m" else screen.feed(event.text))
    finally:
        # On ^C, q and errors too: the shell must not go on in the recording's colours.
        write(screen.reset() + "\r\n")


def _marker(event: cast.Event) -> str:
    """What the recording says of itself, such as bytes that are not shown."""
    return f"\n[{safe(event.text)}]\n"


def _pause(seconds: float, wait: Wait) -> bool:
    """Wait, with what the keys ask for; False when it should end."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        key = wait(left)
        if key == "q":
            return False
        if key == " ":
            begun = time.monotonic()
            while (key := wait(None)) != " ":
                if key == "q":
                    return False
            until += time.monotonic() - begun
    return True


@contextmanager
def _keyboard() -> Iterator[Wait]:
    """Single keys without echo when stdin is a terminal, plain sleeping when not."""
    if not sys.stdin.isatty() or os.name != "posix":
        yield _sleep
        return
    import select
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)

    def wait(seconds: float | None) -> str:
        ready, _, _ = select.select([fd], [], [], _slice(seconds))
        if not ready:
            return ""
        return os.read(fd, 1).decode("latin-1") or "q"  # an empty read: the terminal has gone

    try:
        tty.setcbreak(fd)  # ^C still interrupts, and line feeds are still line breaks
        yield wait
    finally:
        # Flushed: what a terminal answered or somebody typed must not reach the shell.
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)


def _sleep(seconds: float | None) -> str:
    time.sleep(_slice(seconds))
    return ""


def _slice(seconds: float | None) -> float:
    # ^C that comes right before the system call would wait for its end, perhaps for hours.
    return 0.5 if seconds is None else min(seconds, 0.5)


@contextmanager
def _lines(recording: str, proxy: str | None) -> Iterator[Iterable[bytes]]:
    if recording == "-":
        yield sys.stdin.buffer
    elif _ID.fullmatch(recording) and not Path(recording).exists():
        yield _fetched(recording.lower(), proxy)
    else:
        path = Path(recording)
        if not path.is_file():
            hint = "Give the ID of a recording (see `plane recordings ls`) or a file."
            message = f"there is no file {safe(recording)!r}"
            raise CliError(message, hint=hint, code=ExitCode.NOT_FOUND)
        with path.open("rb") as file:
            yield file


def _fetched(recording: str, proxy: str | None) -> list[bytes]:
    from cli.client import client_for, segment

    content = client_for(proxy).get_bytes(f"/v1/recordings/{segment(recording)}/cast")
    return content.splitlines(keepends=True)


def _warn_if_small(header: Document) -> None:
    recorded = mapping(header)
    width, height = recorded.get("width"), recorded.get("height")
    here = os.get_terminal_size(sys.stdout.fileno())
    if not (isinstance(width, int) and isinstance(height, int)):
        return
    if width > here.columns or height > here.lines:
        print(f"note: recorded at {width}x{height}, larger than this terminal", file=sys.stderr)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
