import pytest

from plane.kube.channels import ChannelTap
from plane.kube.legacyforward import LegacyForwardTap
from plane.kube.portforward import SpdyForwardTap, TunnelForwardTap
from plane.kube.spdyexec import SpdyExecTap
from plane.kube.tap import TapError, choose_tap, narrow, offered

WS_EXEC = ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"]
WS_EXEC += ["v4.base64.channel.k8s.io", "base64.channel.k8s.io"]
SPDY_EXEC = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"]
TUNNEL = "SPDY/3.1+portforward.k8s.io"
QUERY = [("ports", "80"), ("stdin", "true"), ("tty", "true")]

FOLLOWED = [
    *[
        (sub, "websocket", protocol, ChannelTap)
        for sub in ("exec", "attach")
        for protocol in WS_EXEC
    ],
    *[
        (sub, "SPDY/3.1", protocol, SpdyExecTap)
        for sub in ("exec", "attach")
        for protocol in SPDY_EXEC
    ],
    ("portforward", "SPDY/3.1", "portforward.k8s.io", SpdyForwardTap),
    ("portforward", "websocket", TUNNEL, TunnelForwardTap),
    ("portforward", "websocket", "v4.channel.k8s.io", LegacyForwardTap),
    ("portforward", "websocket", "v4.base64.channel.k8s.io", LegacyForwardTap),
]


def headers(upgrade, *protocols, name=None):
    name = (
        name
        or {
            "spdy/3.1": b"X-Stream-Protocol-Version",
            "websocket": b"Sec-WebSocket-Protocol",
        }[upgrade.lower()]
    )
    return [
        (b"Connection", b"Upgrade"),
        (b"Upgrade", upgrade.encode()),
        *[(name, protocol.encode()) for protocol in protocols],
    ]


def choose(subresource, asked, answered, query=QUERY, **how):
    return choose_tap(
        subresource=subresource,
        request_headers=asked,
        response_headers=answered,
        query=query,
        **how,
    )


@pytest.mark.parametrize(("sub", "upgrade", "protocol", "kind"), FOLLOWED)
def test_every_followed_protocol_has_its_tap(sub, upgrade, protocol, kind):
    asked = headers(upgrade, protocol)
    offered(subresource=sub, request_headers=asked)
    assert isinstance(choose(sub, asked, headers(upgrade.lower(), protocol)), kind)
    assert narrow(subresource=sub, request_headers=asked) == asked


def test_kubectls_four_spdy_lines_are_all_offers():
    asked = headers("SPDY/3.1", *SPDY_EXEC)
    offered(subresource="exec", request_headers=asked)
    assert isinstance(choose("exec", asked, headers("SPDY/3.1", SPDY_EXEC[0])), SpdyExecTap)


def test_a_comma_list_is_several_offers():
    asked = headers("websocket", "v5.channel.k8s.io, v4.channel.k8s.io")
    assert choose("exec", asked, headers("websocket", "v4.channel.k8s.io"))


def test_spdy_without_offers_is_the_oldest_protocol(wire):
    """The kubelet falls back to channel.k8s.io, whose error stream is text."""
    asked = headers("SPDY/3.1")
    offered(subresource="exec", request_headers=asked)
    tap = choose("exec", asked, headers("SPDY/3.1"))
    up, down = wire.spdy(), wire.spdy()
    tap.client(up.syn(1, "error"))
    tap.server(down.reply(1))
    assert down.read(tap.ending(wire.status)) == [("data", 1, 1, b"locked")]
    assert isinstance(choose("portforward", asked, headers("SPDY/3.1")), SpdyForwardTap)


@pytest.mark.parametrize(
    ("value", "reads"), [("true", True), ("1", True), ("", True), ("0", False), ("False", False)]
)
def test_stdin_and_tty_are_read_as_the_api_server_reads_them(wire, value, reads):
    ws = headers("websocket", "v5.channel.k8s.io")
    tap = choose("exec", ws, ws, query=[("stdin", value), ("stdin", "true")])
    assert bool(tap.interrupt()) is reads
    tap = choose("exec", ws, ws, query=[("stdin", "true"), ("tty", value)])
    assert (wire.ws.read(tap.interrupt()) == [(2, b"\0\x03\x04")]) is reads


def test_input_is_counted_only_when_nobody_keeps_it(wire):
    ws = headers("websocket", "v5.channel.k8s.io")
    [event] = choose("exec", ws, ws, input_data=False).client(wire.ws.client(0, b"secret"))
    assert (event.data, event.size) == (b"", 6)


REFUSED_OFFERS = {
    "no upgrade": ("exec", []),
    "two Upgrade headers": ("exec", [*headers("websocket", WS_EXEC[0]), (b"upgrade", b"SPDY/3.1")]),
    "two names in one Upgrade": (
        "exec",
        headers("websocket, SPDY/3.1", *WS_EXEC, name=b"Sec-WebSocket-Protocol"),
    ),
    "h2c": ("exec", headers("h2c", name=b"x")),
    "websocket without a protocol": ("exec", headers("websocket")),
    "websocket port-forward without a protocol": ("portforward", headers("websocket")),
    "a protocol of the future alone": ("exec", headers("websocket", "v6.channel.k8s.io")),
    "another case": ("exec", headers("websocket", "V5.channel.k8s.io")),
    "the tunnel on exec": ("exec", headers("websocket", TUNNEL)),
    "exec's protocol on port-forward": ("portforward", headers("websocket", "v5.channel.k8s.io")),
    "un-numbered port-forward": ("portforward", headers("websocket", "channel.k8s.io")),
    "a token alone": ("exec", headers("websocket", "base64url.bearer.authorization.k8s.io.YQ")),
    "pods/proxy": ("proxy", headers("websocket", "v5.channel.k8s.io")),
    "no subresource": ("", headers("websocket", "v5.channel.k8s.io")),
    "unknown SPDY protocol": ("exec", headers("SPDY/3.1", "v9.channel.k8s.io")),
}


@pytest.mark.parametrize("threat", REFUSED_OFFERS)
def test_an_unrecordable_offer_is_refused_before_it_is_forwarded(threat):
    subresource, asked = REFUSED_OFFERS[threat]
    with pytest.raises(TapError):
        offered(subresource=subresource, request_headers=asked)


V5 = headers("websocket", "v5.channel.k8s.io")
REFUSED_ANSWERS = {
    "not offered": (V5, headers("websocket", "v4.channel.k8s.io")),
    "of the future, offered": (
        headers("websocket", "v6.channel.k8s.io", "v5.channel.k8s.io"),
        headers("websocket", "v6.channel.k8s.io"),
    ),
    "none, though offered": (V5, headers("websocket")),
    "two at once": (
        headers("websocket", "v5.channel.k8s.io", "v4.channel.k8s.io"),
        headers("websocket", "v5.channel.k8s.io", "v4.channel.k8s.io"),
    ),
    "another upgrade": (V5, headers("SPDY/3.1", "v4.channel.k8s.io")),
    "no upgrade": (V5, []),
    "an extension": (V5, [*V5, (b"Sec-WebSocket-Extensions", b"permessage-deflate")]),
    "a default where none was offered": (
        headers("SPDY/3.1"),
        headers("SPDY/3.1", "v4.channel.k8s.io"),
    ),
}


@pytest.mark.parametrize("threat", REFUSED_ANSWERS)
def test_an_answer_that_cannot_be_followed_is_refused(threat):
    asked, answered = REFUSED_ANSWERS[threat]
    with pytest.raises(TapError):
        choose("exec", asked, answered)


def test_legacy_port_forward_needs_its_ports():
    ws = headers("websocket", "v4.channel.k8s.io")
    with pytest.raises(TapError, match="ports="):
        choose("portforward", ws, ws, query=[])


def test_narrow_takes_out_what_a_newer_cluster_might_choose():
    asked = headers("websocket", "v6.channel.k8s.io, v5.channel.k8s.io", "v7.channel.k8s.io")
    assert narrow(subresource="exec", request_headers=asked) == headers(
        "websocket", "v5.channel.k8s.io"
    )
