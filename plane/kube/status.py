"""Refusals and faults as Kubernetes `Status` objects, the one shape kubectl can read.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

import json
from collections.abc import Mapping


def status(
    *, code: int, reason: str, message: str, details: Mapping[str, object] | None = None
) -> bytes:
    """A failure Status as JSON bytes; `code` equals the HTTP code it is sent with."""
    body: dict[str, object] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    if details:
        body["details"] = dict(details)
    return json.dumps(body, ensure_ascii=True).encode()


def watch_error(status_json: bytes) -> bytes:
    """One watch event of type ERROR that carries a Status (KEP-956, watch error events)."""
    return b'{"type":"ERROR","object":' + status_json + b"}\n"
