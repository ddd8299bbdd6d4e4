"""Which tap follows an upgraded connection, and the refusal of those that none can follow.

Start here: `offered` and `narrow` before the request is forwarded, `choose_tap` after the 101.
Protocols are tables, so that what is not listed goes unrecorded nowhere.
"""

from collections.abc import Callable, Sequence

from plane.kube import channels, legacyforward, spdyexec
from plane.kube.channels import ChannelTap
from plane.kube.headers import Headers, all_of
from plane.kube.legacyforward import LegacyForwardTap, ports_of
from plane.kube.portforward import SpdyForwardTap, TunnelForwardTap
from plane.kube.spdyexec import SpdyExecTap
from plane.kube.tapevents import (
    Ended,
    Input,
    Output,
    PortData,
    PortFailed,
    PortOpened,
    Resize,
    Tap,
    TapError,
    TapEvent,
)

__all__ = [
    "Ended",
    "Input",
    "Output",
    "PortData",
    "PortFailed",
    "PortOpened",
    "Resize",
    "Tap",
    "TapError",
    "TapEvent",
    "choose_tap",
    "narrow",
    "offered",
]

Query = Sequence[tuple[str, str]]

TUNNEL = "SPDY/3.1+portforward.k8s.io"
_SPDY, _WEBSOCKET = "spdy/3.1", "websocket"
# (subresource, Upgrade): the protocols that a tap exists for.
_FOLLOWED = {
    ("exec", _SPDY): frozenset(spdyexec.PROTOCOLS),
    ("attach", _SPDY): frozenset(spdyexec.PROTOCOLS),
    ("portforward", _SPDY): frozenset({"portforward.k8s.io"}),
    ("exec", _WEBSOCKET): frozenset(channels.PROTOCOLS),
    ("attach", _WEBSOCKET): frozenset(channels.PROTOCOLS),
    ("portforward", _WEBSOCKET): frozenset({TUNNEL, *legacyforward.PROTOCOLS}),
}
_PROTOCOL_HEADER = {_SPDY: b"x-stream-protocol-version", _WEBSOCKET: b"sec-websocket-protocol"}
# What a SPDY server takes when the client offers nothing (k8s.io/apimachinery httpstream).
_SPDY_DEFAULT = {"exec": "channel.k8s.io", "attach": "channel.k8s.io"}


def offered(*, subresource: str, request_headers: Headers) -> None:
    """Raise TapError when the client offers nothing that can be followed."""
    upgrade = _upgrade(request_headers)
    followed = _followed(subresource, upgrade)
    offers = _protocols(request_headers, upgrade)
    if (not offers and upgrade == _SPDY) or any(offer in followed for offer in offers):
        return
    names = ", ".join(sorted(followed))
    raise TapError(f"{subresource} is recorded, so one of these protocols is needed: {names}")


def narrow(*, subresource: str, request_headers: Headers) -> Headers:
    """The headers to forward: offers that no tap follows are taken out, the rest is untouched.

    Otherwise a newer cluster might choose such an offer, and the command would run before the
    refusal.
    """
    upgrade = _upgrade(request_headers)
    followed = _followed(subresource, upgrade)
    wanted = _PROTOCOL_HEADER[upgrade]
    kept: Headers = []
    for name, value in request_headers:
        if name.lower() != wanted:
            kept.append((name, value))
            continue
        offers = [offer for offer in _split(value) if offer in followed]
        if len(offers) == len(_split(value)):
            kept.append((name, value))
        elif offers:
            kept.append((name, ", ".join(offers).encode("latin-1")))
    return kept


def choose_tap(
    *,
    subresource: str,
    request_headers: Headers,
    response_headers: Headers,
    query: Query,
    input_data: bool = True,
) -> Tap:
    """The tap for a connection that the cluster has just upgraded (101).

    Raises TapError when the cluster chose what cannot be followed or was not offered. With
    `input_data` off, Input events only count: large uploads need no unmasking.
    """
    upgrade = _upgrade(request_headers)
    if _upgrade(response_headers) != upgrade:
        raise TapError("the cluster upgraded to another protocol than was asked for")
    if all_of(response_headers, b"sec-websocket-extensions"):
        raise TapError("the cluster turned on a WebSocket extension, which hides the bytes")
    followed = _followed(subresource, upgrade)
    chosen = _protocols(response_headers, upgrade)
    offers = _protocols(request_headers, upgrade)
    if not chosen and not offers and upgrade == _SPDY:
        chosen = [_SPDY_DEFAULT.get(subresource, "portforward.k8s.io")]
    elif len(chosen) != 1 or chosen[0] not in offers:
        raise TapError("the cluster chose a protocol that was not offered")
    if chosen[0] not in followed:
        raise TapError(f"the cluster chose {chosen[0][:60]!r}, which cannot be recorded")
    make = _forward_tap if subresource == "portforward" else _command_tap
    return make(upgrade, chosen[0], query, input_data)


_Make = Callable[[str, str, Query, bool], Tap]


def _command_tap(upgrade: str, protocol: str, query: Query, input_data: bool) -> Tap:  # noqa: FBT001 - see _Make
    tty = _is_set(query, "tty")
    if upgrade == _SPDY:
        return SpdyExecTap(json_status=spdyexec.PROTOCOLS[protocol], tty=tty)
    return ChannelTap(
        channels.PROTOCOLS[protocol],
        stdin=_is_set(query, "stdin"),
        tty=tty,
        input_data=input_data,
    )


def _forward_tap(upgrade: str, protocol: str, query: Query, input_data: bool) -> Tap:  # noqa: FBT001, ARG001 - see _Make
    if upgrade == _SPDY:
        return SpdyForwardTap()
    if protocol == TUNNEL:
        return TunnelForwardTap()
    return LegacyForwardTap(legacyforward.PROTOCOLS[protocol], ports_of(query))


def _followed(subresource: str, upgrade: str) -> frozenset[str]:
    followed = _FOLLOWED.get((subresource, upgrade))
    if followed is None:
        raise TapError(f"an upgrade of {subresource or 'this'!r} to {upgrade!r} cannot be recorded")
    return followed


def _upgrade(headers: Headers) -> str:
    values = [value.strip().lower() for value in all_of(headers, b"upgrade")]
    if len(values) != 1 or values[0] not in (_SPDY.encode(), _WEBSOCKET.encode()):
        # Go looks for SPDY/3.1 anywhere in the first value: more than one name is two readings.
        raise TapError("this needs exactly one Upgrade header, websocket or SPDY/3.1")
    return values[0].decode("ascii")


def _protocols(headers: Headers, upgrade: str) -> list[str]:
    values = all_of(headers, _PROTOCOL_HEADER[upgrade])
    return [protocol for value in values for protocol in _split(value)]


def _split(value: bytes) -> list[str]:
    return [part.strip().decode("latin-1") for part in value.split(b",") if part.strip()]


def _is_set(query: Query, name: str) -> bool:
    """A boolean as the API server reads it: the first value, not 0 or false."""
    value = next((value for key, value in query if key == name), "false")
    return value.lower() not in ("false", "0")
