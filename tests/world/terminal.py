"""A command on a real terminal (a pty): type, wait for what shows, resize."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Self


class Terminal:
    """Runs one command as a person at a keyboard would; use it in a `with`."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], rows: int = 24, columns: int = 80
    ) -> None:
        self._screen, inner = pty.openpty()
        self.resize(rows, columns)
        self.output = ""
        self._child = subprocess.Popen(
            command, stdin=inner, stdout=inner, stderr=inner, env=dict(env), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
        )  # fmt: skip
        os.close(inner)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the command if it has not ended."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        os.close(self._screen)

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size, as dragging its corner does."""
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._screen, text.encode())

    def wait_for(self, text: str, *, seconds: float = 20) -> None:
        """Read until `text` shows up after what was waited for before; AssertionError when it does not."""
        deadline = time.monotonic() + seconds
        seen = ""
        while text not in seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} did not show up in:\n{self.output}"
            piece = self._read(left)
            assert piece is not None, f"the command ended without {text!r}:\n{self.output}"
            seen += piece

    def wait(self, *, seconds: float = 20) -> int:
        """Read to the end and return the exit status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._read(deadline - time.monotonic()) is not None:
            pass
        return self._child.wait(timeout=max(1.0, deadline - time.monotonic()))

    def _read(self, seconds: float) -> str | None:
        ready, _, _ = select.select([self._screen], [], [], seconds)
        if not ready:
            return ""
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # Linux's way to say that the other side has closed
            return None
        text = data.decode(errors="replace")
        self.output += text
        return text if data else None
