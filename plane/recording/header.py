"""Who, where and what of one recorded session, known before its first byte."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the sidecar tells from the start; `command` is redacted already.

    `id` is a UUID. `session` is the login session; `connector` and `subject` say whose it was in
    a way that a display name cannot. `strict`: the session ends when it cannot be recorded.
    `record_input`: typed bytes are kept (they hold passwords), not only counted.
    """

    id: str
    audit_id: str
    session: str
    user: str
    connector: str = ""
    subject: str = ""
    cluster: str
    namespace: str = ""
    pod: str = ""
    container: str = ""
    command: tuple[str, ...] = ()
    tty: bool = False
    subresource: str = "exec"
    protocol: str = ""
    source_ip: str = ""
    strict: bool = True
    record_input: bool = False
