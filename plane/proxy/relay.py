"""Relays a cluster's answer to whoever asked, at the reader's pace."""

from plane.kube.headers import first
from plane.proxy.call import Reply
from plane.upstream.base import Headers
from plane.upstream.http1 import Exchange


async def relay(exchange: Exchange, reply: Reply, *, headers: Headers) -> None:
    """Send head and body on; raises what the exchange raises when the cluster breaks off."""
    buffered = exchange.take_buffered()
    length = first(exchange.headers, b"content-length")
    if length is not None:
        reply.head(exchange.status, headers, length=int(length))
    else:
        reply.head(exchange.status, headers, length=len(buffered) if exchange.complete else None)
    if exchange.complete:
        await exchange.done  # raises when it was cut off
        if buffered:
            reply.data(buffered)
    else:
        reply.data(buffered) if buffered else reply.flush()
        exchange.attach(reply)
        await exchange.done
    reply.end()
