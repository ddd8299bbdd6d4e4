"""Forwards ordinary requests and watches: head and body there, head and body back."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from plane.audit.events import Outcome
from plane.errors import SessionEnded
from plane.kube.headers import Headers, to_client
from plane.kube.request import KubeRequest
from plane.kube.status import status, watch_error
from plane.proxy.call import Call
from plane.proxy.live import LiveStream
from plane.proxy.relay import relay
from plane.proxy.route import Route
from plane.proxy.trail import Trail
from plane.upstream.http1 import Exchange

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


async def forward(
    call: Call, trail: Trail, route: Route, headers: Headers, *, live: LiveStream | None
) -> None:
    """Send the call to its cluster and relay the answer; `live` may end it early."""
    request = trail.request
    assert request is not None
    length = call.length
    if call.body is None and call.method in _WITH_BODY:
        length = 0
    sending = route.upstream.send(
        call.method.encode(),
        request.target,
        headers,
        call.body,
        length=length,
        deadline=not request.long_running,
    )
    exchange = await (sending if live is None else _while_live(sending, live))
    try:
        if not exchange.complete:
            trail.started(exchange.status)
        else:
            _complete(trail, exchange)
        await _relay(call, exchange, request, live)
        _complete(trail, exchange)
    except SessionEnded as error:
        if not call.reply.started:
            raise
        trail.complete(Outcome(code=error.status, reason=error.reason, message=error.message))
        _say_goodbye(call, request, error)
    except BaseException:
        exchange.abort()
        raise
    finally:
        exchange.detach()


async def _while_live(sending: Coroutine[Any, Any, Exchange], live: LiveStream) -> Exchange:
    """The exchange; SessionEnded when the right ends before its head: a quiet log has none yet."""
    scope = asyncio.timeout(None)

    def end(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the head came in the same turn
            scope.reschedule(0.0)

    live.ended.add_done_callback(end)
    try:
        async with scope:
            exchange = await sending
    except TimeoutError:
        raise SessionEnded(live.ended.result()) from None
    finally:
        live.ended.remove_done_callback(end)
    if live.ended.done():
        exchange.abort()
        raise SessionEnded(live.ended.result())
    return exchange


def _complete(trail: Trail, exchange: Exchange) -> None:
    trail.complete(Outcome(code=exchange.status), bytes_sent=exchange.bytes_in)


async def _relay(
    call: Call, exchange: Exchange, request: KubeRequest, live: LiveStream | None
) -> None:
    headers = to_client(exchange.headers)
    headers.append((b"Audit-Id", call.audit_id.encode()))
    if request.what.subresource == "proxy":
        # A page served by a pod must not run as plane's own origin in somebody's browser.
        headers.append((b"Content-Security-Policy", b"sandbox"))
        headers.append((b"X-Content-Type-Options", b"nosniff"))
    if live is not None:
        live.ended.add_done_callback(lambda ended: exchange.stop(SessionEnded(ended.result())))
    await relay(exchange, call.reply, headers=headers)


def _say_goodbye(call: Call, request: KubeRequest, error: SessionEnded) -> None:
    """End a stream so that its reader sees why: a watch by an ERROR event, a log by a last line."""
    body = status(code=error.status, reason=error.reason, message=error.message)
    watching = request.verb == "watch"
    call.reply.data(watch_error(body) if watching else f"\nplane: {error.message}\n".encode())
    call.reply.end()
