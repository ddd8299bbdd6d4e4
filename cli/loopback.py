"""The one-shot web server on 127.0.0.1 that the browser comes back to (RFC 8252 section 7.3)."""

import hmac
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>plane</title>
<body style="font: 1.1em system-ui; margin: 4em auto; max-width: 30em"><h1>{title}</h1>
<p>You may close this tab and go back to the terminal.</p></body></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What the browser brought: a code, or the error that the server names."""

    code: str = ""
    error: str = ""
    description: str = ""


class Loopback(ThreadingHTTPServer):
    """Waits for one callback with the right state. Threads: browsers open idle connections first.

    A callback with a wrong state is answered 400 and ignored, so that another local program can
    neither end nor take over the login.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, state: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self._state = state
        self._arrived: queue.Queue[Callback] = queue.Queue(maxsize=1)

    @property
    def redirect_uri(self) -> str:
        """The literal address, not `localhost`, which may resolve elsewhere."""
        return f"http://127.0.0.1:{self.server_address[1]}/callback"

    def wait(self, timeout_seconds: float) -> Callback | None:
        """Return the callback, or None when nobody came in time."""
        try:
            return self._arrived.get(timeout=timeout_seconds)
        except queue.Empty:
            return None

    def accept(self, query: str) -> bool:
        """Take the callback if its state is ours and it is the first."""
        values = {name: found[0] for name, found in parse_qs(query).items()}
        if not hmac.compare_digest(values.get("state", "").encode(), self._state.encode()):
            return False
        callback = Callback(
            code=values.get("code", ""),
            error=values.get("error", ""),
            description=values.get("error_description", ""),
        )
        if not (callback.code or callback.error):
            return False
        try:
            self._arrived.put_nowait(callback)
        except queue.Full:
            return False
        return True


class _Answer(BaseHTTPRequestHandler):
    server: Loopback
    timeout = 10

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != "/callback":
            self._page(404, "Not here")
        elif self.server.accept(parts.query):
            self._page(200, "Done")
        else:
            self._page(400, "This is not the login that the terminal waits for")

    def _page(self, status: int, title: str) -> None:
        body = _PAGE.format(title=title).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        # The address of this page holds the code.
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - overridden
        """Say nothing: the address holds the code."""


@contextmanager
def listening(state: str) -> Iterator[Loopback]:
    """Serve callbacks in the background until the block ends."""
    server = Loopback(state)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
