"""Every error of the API in one shape: a Kubernetes Status whose code is the HTTP code."""

import logging

from quart import Quart, Response, g
from werkzeug.exceptions import HTTPException

from plane.errors import Invalid, PlaneError, Problem, TooManyRequests
from plane.kube.status import status

_log = logging.getLogger(__name__)
# Kubernetes' reasons: https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#StatusReason
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
}
_UNEXPECTED = "plane met an unexpected error; its log says more"


def install(app: Quart) -> None:
    """Make the application answer every error, its own 404 and 500 included, as a Status."""
    app.register_error_handler(PlaneError, _plane)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def answer(error: PlaneError) -> Response:
    """The response for an error; causes say document, line and path of each problem."""
    details: dict[str, object] = {}
    if isinstance(error, Invalid) and error.problems:
        details["causes"] = [_cause(problem) for problem in error.problems]
    response = _response(error.status, error.reason, error.message, details)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = "1"
    return response


async def _plane(error: Exception) -> Response:
    assert isinstance(error, PlaneError)
    if error.detail:
        _log.warning("%s: %s%s", error.message, error.detail, _audit_suffix())
    return answer(error)


async def _http(error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = error.code or 500
    if code < 400:
        raw = error.get_response()
        return Response(raw.get_data(), code, dict(raw.headers))
    message = error.description if code < 500 and error.description else _UNEXPECTED
    response = _response(code, _REASONS.get(code, "InternalError"), message, {})
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


async def _unexpected(error: Exception) -> Response:
    # The traceback is for the log; its text may hold anything.
    _log.error("unexpected error%s", _audit_suffix(), exc_info=error)
    return _response(500, "InternalError", _UNEXPECTED, {})


def _response(code: int, reason: str, message: str, details: dict[str, object]) -> Response:
    audit_id = g.get("audit_id")
    text = f"{message} (audit {audit_id})" if audit_id else message
    body = status(code=code, reason=reason, message=text, details=details)
    response = Response(body, code, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if audit_id:
        response.headers["Audit-Id"] = audit_id
    return response


def _cause(problem: Problem) -> dict[str, object]:
    cause: dict[str, object] = {"reason": "FieldValueInvalid", "message": problem.message}
    if problem.path:
        cause["field"] = problem.path
    if problem.line is not None:
        cause["line"] = problem.line
    if problem.document is not None:
        cause["document"] = problem.document
    return cause


def _audit_suffix() -> str:
    audit_id = g.get("audit_id")
    return f" (audit {audit_id})" if audit_id else ""
