"""Values in query strings: instants and numbers; and the JSON answer to a question."""

import json
from collections.abc import Iterable, Mapping

from quart import Response, request

from plane.clock import from_rfc3339
from plane.errors import BadRequest

_MAX_LIMIT = 10_000
_LAST_INSTANT = 253402300799.0  # the end of the year 9999


def asked(names: Iterable[str]) -> dict[str, str]:
    """These values of the query string, without the empty ones; BadRequest for any other name.

    A misspelt filter that was passed over would show more than was asked for.
    """
    known = tuple(names)
    for name in request.args:
        if name not in known:
            raise BadRequest(f"{name[:64]!r} is no filter; there are {', '.join(known)}")
    return {name: value for name in known if (value := request.args.get(name))}


def instant(values: Mapping[str, str], name: str) -> float | None:
    """An RFC 3339 instant as epoch seconds, None when it is not given."""
    text = values.get(name)
    if text is None:
        return None
    try:
        seconds = from_rfc3339(text)
    except (ValueError, OverflowError) as error:
        message = f"{name} must be a time such as 2026-11-23T12:00:00Z"
        raise BadRequest(message) from error
    return max(0.0, min(seconds, _LAST_INSTANT))


def number(values: Mapping[str, str], name: str) -> int | None:
    """A whole number, None when it is not given."""
    text = values.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadRequest(f"{name} must be a number")
    return int(text)


def limit(values: Mapping[str, str]) -> int:
    """How many to answer with: 100 when it is not said, 10 000 at most."""
    found = number(values, "limit")
    return 100 if found is None else max(1, min(found, _MAX_LIMIT))


def answer(value: Mapping[str, object]) -> Response:
    """A JSON answer that no cache keeps, keys in the order they were written in."""
    response = Response(json.dumps(value), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
