"""The proxy as a Quart route: plain requests and watches through the same pipeline, by ASGI.

The edge serves kube paths itself, ten times cheaper and with client certificates and upgrades,
which ASGI does not have. This route makes the application a proxy under any ASGI server.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from quart import Blueprint, Request, Response, request

from plane.errors import BadRequest
from plane.kube.headers import Headers
from plane.kube.status import status
from plane.proxy.call import Call, ClientStream, Peer
from plane.proxy.pipeline import Pipeline
from plane.proxy.route import PREFIX
from plane.tasks import cancel, spawn

_HIGH_WATER_BYTES = 256 * 1024
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class _Body:
    """A `RequestBody` over Quart's request body."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source

    async def read(self) -> bytes:
        return await anext(self._source, b"")


class _Reply:
    """A `Reply` that a Quart response reads from."""

    def __init__(self) -> None:
        self.started = False
        self.status = 0
        self.headers: Headers = []
        self.begun = asyncio.Event()
        self._chunks: list[bytes] = []
        self._size = 0
        self._more = asyncio.Event()
        self._over = False
        self._broken = False
        self._on_room: Callable[[], None] | None = None

    def head(self, status: int, headers: Headers, *, length: int | None) -> None:
        self.started = True
        self.status = status
        self.headers = list(headers)
        if length is not None:
            self.headers.append((b"Content-Length", b"%d" % length))
        self.begun.set()

    def data(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._more.set()

    def flush(self) -> None:
        """Quart sends the head when the response begins."""

    def end(self) -> None:
        self._over = True
        self.begun.set()
        self._more.set()

    def abort(self) -> None:
        self._broken = True
        self.end()

    @property
    def full(self) -> bool:
        return self._size > _HIGH_WATER_BYTES

    def on_room(self, callback: Callable[[], None] | None) -> None:
        self._on_room = callback

    async def upgrade(self, headers: Headers) -> ClientStream:
        raise NotImplementedError(headers)  # never called: an ASGI call carries no upgrade

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            await self._more.wait()
            self._more.clear()
            data, self._chunks, self._size = b"".join(self._chunks), [], 0
            if data:
                yield data
            callback, self._on_room = self._on_room, None
            if callback is not None:
                callback()
            if self._over and not self._chunks:
                break
        if self._broken:
            raise ConnectionResetError  # the server cuts the connection: not a whole answer


def blueprint(pipeline: Pipeline) -> Blueprint:
    """The route `/k8s/clusters/<cluster>/<path>`."""
    routes = Blueprint("kube", __name__)

    @routes.route("/k8s/clusters/<path:_path>", methods=_METHODS)
    async def kube(_path: str) -> Response:
        return await _serve(pipeline, request)

    return routes


async def _serve(pipeline: Pipeline, asked: Request) -> Response:
    if asked.headers.get("Upgrade"):
        body = status(code=400, reason="BadRequest", message="upgrades need plane's own listener")
        return Response(body, 400, content_type="application/json")
    reply = _Reply()
    length = asked.content_length
    has_body = bool(length) or "chunked" in asked.headers.get("Transfer-Encoding", "")
    if length is None and asked.http_version not in ("1.0", "1.1"):
        has_body = asked.method not in ("GET", "HEAD", "OPTIONS")  # HTTP/2 frames need no length
    call = Call(
        method=asked.method,
        target=_target(asked),
        headers=[(bytes(name), bytes(value)) for name, value in asked.scope["headers"]],
        peer=Peer(address=asked.remote_addr or "", secure=asked.is_secure),
        reply=reply,
        body=_Body(aiter(asked.body)) if has_body else None,
        length=length,
        received=pipeline.now(),
    )
    serving = spawn(pipeline.serve(call), name="call")
    serving.add_done_callback(lambda _task: reply.end())
    try:
        await reply.begun.wait()
    except BaseException:
        await cancel(serving)  # the client has left before its answer
        raise
    response = Response(_body(reply, serving), reply.status or 500)
    response.timeout = None  # a watch lasts as long as it lasts
    response.headers.clear()
    for name, value in reply.headers:
        response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
    return response


async def _body(reply: _Reply, serving: "asyncio.Task[None]") -> AsyncIterator[bytes]:
    try:
        async for chunk in reply.chunks():
            yield chunk
    finally:
        if not serving.done():
            await cancel(serving)


def _target(asked: Request) -> bytes:
    """The path as received: what a framework decodes can no longer be checked."""
    scope = asked.scope
    raw: bytes = scope.get("raw_path") or asked.path.encode()
    if not raw.startswith(PREFIX):
        # An encoded letter in the prefix reaches this route and would shift the cluster's name.
        raise BadRequest("the path must begin with /k8s/clusters/ as it stands")
    query: bytes = scope["query_string"]
    return raw.partition(b"?")[0] + (b"?" + query if query else b"")
