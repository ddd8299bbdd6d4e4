"""What a request head must be, before anything else looks at it; pure.

llhttp refuses much by itself (two framings, obs-fold, bare LF, space before the colon); these are
the forms that it lets through and that two readers could take differently (RFC 9112, RFC 9110).
"""

from plane.upstream.base import Headers

MAX_HEAD_BYTES = 64 * 1024  # a security limit
MAX_HEADERS = 256


class HeadError(ValueError):
    """The head is refused with 400 and the connection is closed."""


def framing(version: str, target: bytes, headers: Headers) -> tuple[int | None, bool]:
    """Check a head; (declared length or None, chunked). HeadError says what is wrong."""
    if version not in ("1.1", "1.0"):
        raise HeadError("only HTTP/1.1 and HTTP/1.0 are spoken here")
    if not target.startswith(b"/"):
        # Absolute-form names a host of its own; a path that starts with a host is the same trick.
        raise HeadError("the request target must be a path")
    hosts, lengths, codings = 0, [], []
    for name, value in headers:
        low = name.lower()
        if low == b"host":
            hosts += 1
        elif low == b"content-length":
            lengths.append(value)
        elif low == b"transfer-encoding":
            codings.append(value)
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        raise HeadError("exactly one Host header is needed")
    if codings and (len(codings) > 1 or codings[0].strip().lower() != b"chunked" or lengths):
        raise HeadError("the only transfer coding understood is chunked, without Content-Length")
    if len(lengths) > 1 or (lengths and not lengths[0].isdigit()):
        raise HeadError("Content-Length must be one number")
    return (int(lengths[0]) if lengths else None), bool(codings)
