"""JSON bodies of the API: small objects of texts and lists of texts, nothing else."""

import json
from collections.abc import Mapping

from quart import Response, request

from plane.errors import BadRequest

_MAX_BYTES = 64 * 1024


async def fields() -> Mapping[str, object]:
    """The request's JSON object; BadRequest when it is something else."""
    data = await request.get_data(as_text=False)
    if not isinstance(data, bytes) or len(data) > _MAX_BYTES:
        raise BadRequest("the body is too large")
    if not data:
        return {}
    if request.mimetype != "application/json":
        # A form of another site cannot send this type without asking first (CORS).
        raise BadRequest("the body must be application/json")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(found, dict):
        raise BadRequest("the body must be a JSON object")
    return found


def text(body: Mapping[str, object], name: str, *, needed: bool = True) -> str:
    """A text field; BadRequest when it is missing or no text."""
    value = body.get(name, "")
    if not _is_text(value) or (needed and not value):
        raise BadRequest(f"{name} must be a text")
    return str(value)


def texts(body: Mapping[str, object], name: str) -> list[str]:
    """A field that is a list of texts, empty when it is missing."""
    value = body.get(name, [])
    if not isinstance(value, list) or not all(_is_text(item) for item in value):
        raise BadRequest(f"{name} must be a list of texts")
    return value


def _is_text(value: object) -> bool:
    # JSON can spell half a surrogate pair, which no file and no header can hold.
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def answer(value: Mapping[str, object], code: int = 200) -> Response:
    """A JSON answer that no cache keeps."""
    response = Response(json.dumps(value), code, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
