"""Asks a cluster to upgrade a connection (RFC 9110 section 7.8) and reads its answer's head.

Only a true 101 for the protocol asked for opens a stream; a redirect is never followed
(CVE-2020-8559), and any other answer is handed back whole so that the client sees it.
"""

import asyncio
import base64
import hashlib
from dataclasses import dataclass, field

import httptools

from plane.errors import UpstreamTimeout, UpstreamUnavailable
from plane.upstream.base import Headers, Stream

ANSWER_SECONDS = 30.0
MAX_ANSWER_BYTES = 1024 * 1024  # head and body of a refusal
_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


@dataclass(slots=True, kw_only=True)
class Answer:
    """What the cluster said; `rest` are bytes of the stream that came with a 101's head."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    rest: bytes = b""


class _Reader:
    """Callbacks of httptools for one answer."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.parser = httptools.HttpResponseParser(self)
        self.complete = False
        self._in_body = False

    def on_message_begin(self) -> None:
        self.answer.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:
            self.answer.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if status >= 200 or status == 101:
            self._in_body = True
            self.answer.status = status

    def on_body(self, body: bytes) -> None:
        self.answer.body += body

    def on_message_complete(self) -> None:
        self.complete = self._in_body


async def ask(stream: Stream, head: bytes, cluster: str) -> Answer:
    """Send the upgrade request and read the answer; UpstreamUnavailable when it is no HTTP."""
    reader = _Reader()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await stream.write(head)
            return await _read(stream, reader)
    except TimeoutError as error:
        raise UpstreamTimeout(f"cluster {cluster} did not answer the upgrade in time") from error
    except (OSError, httptools.HttpParserError) as error:
        message = f"cluster {cluster} broke off the upgrade"
        raise UpstreamUnavailable(message, detail=repr(error)) from error


async def _read(stream: Stream, reader: _Reader) -> Answer:
    seen = 0
    while not reader.complete:
        data = await stream.read()
        seen += len(data)
        if not data or seen > MAX_ANSWER_BYTES:
            raise ConnectionResetError
        try:
            reader.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            reader.answer.rest = data[upgrade.args[0] :]
            break
    return reader.answer


def agrees(answer: Answer, request: Headers) -> bool:
    """Whether a 101 is for what was asked: same protocol, right accept key, offered subprotocol."""
    if answer.status != 101:
        return False
    asked = _value(request, b"upgrade").lower()
    if _value(answer.headers, b"upgrade").lower() != asked:
        return False
    if asked != b"websocket":
        return True
    key = _value(request, b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID).digest())  # noqa: S324 - RFC 6455
    offered = {part.strip() for part in _value(request, b"sec-websocket-protocol").split(b",")}
    return (
        _value(answer.headers, b"sec-websocket-accept") == accept
        and _value(answer.headers, b"sec-websocket-protocol") in offered | {b""}
        and not _value(answer.headers, b"sec-websocket-extensions")
    )


def _value(headers: Headers, name: bytes) -> bytes:
    return next((value for key, value in headers if key.lower() == name), b"")
