"""The JSON file beside a recording: who, where, when, how it ended, and the digests."""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from plane.audit.file import FILE_MODE
from plane.clock import rfc3339
from plane.recording.header import Header

Sidecar = dict[str, object]


class State(StrEnum):
    """How a recording stands; `failed`: it could not be written to its end."""

    RECORDING = "recording"
    COMPLETE = "complete"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


def opened(header: Header, *, started: float) -> Sidecar:
    """The sidecar of a session that begins."""
    return {
        "id": header.id,
        "state": State.RECORDING.value,
        "auditID": header.audit_id,
        "session": header.session,
        "user": header.user,
        "connector": header.connector,
        "subject": header.subject,
        "cluster": header.cluster,
        "namespace": header.namespace,
        "pod": header.pod,
        "container": header.container,
        "command": list(header.command),
        "subresource": header.subresource,
        "protocol": header.protocol,
        "tty": header.tty,
        "sourceIP": header.source_ip,
        "strict": header.strict,
        "recordInput": header.record_input,
        "started": rfc3339(started),
    }


def read(path: Path) -> Sidecar | None:
    """The sidecar, or None when it is gone or no JSON object."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write(path: Path, sidecar: Mapping[str, object]) -> None:
    """Replace the file at once, so that a reader sees the old or the new; OSError on failure."""
    draft = path.with_suffix(".json.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(draft, flags, FILE_MODE), "w") as file:
            json.dump(sidecar, file, indent=1)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
