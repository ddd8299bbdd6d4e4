"""What ends a command early: one sentence, what to do next, and an exit code."""

import os
import sys
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes, the same for every command; `plane --help` lists them."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_LOGGED_IN = 3
    DENIED = 4
    NOT_FOUND = 5
    UNREACHABLE = 6
    INTERRUPTED = 130


class CliError(Exception):
    """A command that cannot go on; `hint` is the next thing to do."""

    def __init__(self, message: str, *, hint: str = "", code: ExitCode = ExitCode.FAILURE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def report(error: Exception) -> None:
    """Print an error as `error: ...` and its hint on stderr, harmless to the terminal."""
    from cli.output import safe, safe_lines

    label = "error:"
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        label = "\x1b[31merror:\x1b[0m"
    print(label, safe_lines(str(error)), file=sys.stderr)
    hint = getattr(error, "hint", "")
    if hint:
        print(safe(hint), file=sys.stderr)
