"""exec, attach and port-forward: upgrade, splice, tap and record.

The order is what makes it safe: refuse what the tap could not follow, open the recording, have the
start on disk, only then reach the cluster; and splice only after a true 101 (CVE-2018-1002105).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from plane.audit.events import EventType, Outcome, Stage
from plane.audit.redact import command as redact_command
from plane.clock import Clock
from plane.errors import BadRequest, EvidenceUnavailable, UpstreamUnavailable
from plane.kube.headers import Headers, to_client
from plane.kube.tap import PortFailed, PortOpened, Tap, TapError, choose_tap, narrow, offered
from plane.proxy.call import Call
from plane.proxy.live import LiveStream
from plane.proxy.route import Route
from plane.proxy.splice import Ending, Sides, Splice
from plane.proxy.trail import Trail
from plane.proxy.witness import Witness
from plane.recording.header import Header
from plane.recording.recorder import Recorder, Recording
from plane.upstream.base import Stream
from plane.upstream.upgrade import Answer, agrees, ask

_RECORDED = frozenset({"exec", "attach"})


class RecordingRule(Protocol):
    """What the roles say about recording a session."""

    def strict(self, trail: Trail) -> bool:
        """Whether the session must end when it cannot be recorded."""
        ...

    def keep_input(self, trail: Trail) -> bool:
        """Whether typed bytes are kept, too (they hold passwords)."""
        ...


@dataclass(slots=True, kw_only=True)
class _Session:
    """One upgraded call while it runs; the recording is open before anything is sent."""

    call: Call
    trail: Trail
    id: str
    recording: Recording | None
    witness: Witness
    ending: Ending | None = None
    fault: str = ""


class Streamer:
    """Serves the streaming subresources."""

    def __init__(
        self,
        recorder: Recorder,
        rule: RecordingRule,
        clock: Clock,
        on_session: Callable[[int], None] = lambda _change: None,
    ) -> None:
        self._recorder = recorder
        self._rule = rule
        self._clock = clock
        self._on_session = on_session

    async def serve(
        self, call: Call, trail: Trail, route: Route, headers: Headers, *, live: LiveStream
    ) -> None:
        """Run the session to its end; raises only before the client has its 101."""
        request = trail.request
        assert request is not None
        if not call.upgrade:
            raise BadRequest(f"{request.what.subresource} needs an upgrade to SPDY or WebSocket")
        asked = [*headers, (b"Upgrade", call.upgrade.encode("latin-1"))]
        try:
            # Both: `Connection` may name the offers, which are then not sent on.
            offered(subresource=request.what.subresource, request_headers=call.headers)
            offered(subresource=request.what.subresource, request_headers=asked)
        except TapError as error:
            raise BadRequest(str(error)) from error
        session = self._open(call, trail)
        try:
            stream = await route.upstream.dial()
            try:
                await self._upgraded(session, stream, route, asked, live=live)
            finally:
                stream.close()
        except BaseException as error:
            session.fault = session.fault or str(error) or type(error).__name__
            raise
        finally:
            self._close(session)

    async def _upgraded(
        self, session: _Session, stream: Stream, route: Route, headers: Headers, *, live: LiveStream
    ) -> None:
        call, trail = session.call, session.trail
        assert trail.request is not None
        # Offers that no tap follows are taken out: a newer cluster might choose one of them.
        headers = narrow(subresource=trail.request.what.subresource, request_headers=headers)
        head = _head(call, trail, [*route.upstream.dialer.identity(), *headers])
        answer = await ask(stream, head, trail.name)
        if not agrees(answer, headers):
            _relay_refusal(session, answer)
            return
        tap = self._tap(session, headers, answer)
        trail.started(101)
        self._say(session, EventType.SESSION_START, Stage.RESPONSE_STARTED)
        await trail.sync()
        client = await call.reply.upgrade(_answer_headers(answer))
        sides = Sides(
            client=client,
            cluster=stream,
            tap=tap,
            witness=session.witness,
            on_port=lambda port: self._port(session, port),
            first=answer.rest,
            interactive=_is_tty(trail),
        )
        self._on_session(+1)
        try:
            session.ending = await Splice(sides, live).run()
        finally:
            self._on_session(-1)
        trail.complete(_outcome(session), bytes_sent=sum(session.witness.bytes.values()))

    def _tap(self, session: _Session, asked: Headers, answer: Answer) -> Tap:
        request = session.trail.request
        assert request is not None
        try:
            return choose_tap(
                subresource=request.what.subresource,
                request_headers=asked,
                response_headers=answer.headers,
                query=request.query,
            )
        except TapError as error:
            raise UpstreamUnavailable(str(error)) from error

    def _open(self, call: Call, trail: Trail) -> _Session:
        request, actor = trail.request, trail.session
        assert request is not None
        assert actor is not None
        strict, session_id = self._rule.strict(trail), self._clock.uuid()
        recording: Recording | None = None
        if request.what.subresource in _RECORDED:
            header = Header(
                id=session_id,
                audit_id=call.audit_id,
                session=actor.id,
                user=actor.user,
                connector=actor.connector,
                subject=actor.subject,
                cluster=trail.name,
                namespace=request.what.namespace,
                pod=request.what.name,
                container=next(iter(request.values("container")), ""),
                command=redact_command(request.values("command")),
                tty=request.is_set("tty"),
                subresource=request.what.subresource,
                protocol=call.upgrade,
                source_ip=call.peer.address,
                strict=strict,
                record_input=self._rule.keep_input(trail),
            )
            try:
                recording = self._recorder.open(header)
            except EvidenceUnavailable:
                if strict:
                    raise
        witness = Witness(recording, strict=strict)
        trail.details["sessionID"] = session_id
        return _Session(call=call, trail=trail, id=session_id, recording=recording, witness=witness)

    def _close(self, session: _Session) -> None:
        """Finish recording and audit, whatever happened; a fault here is logged by its room."""
        witness, ending = session.witness, session.ending
        exit_code = witness.ended.exit_code if witness.ended else None
        extra: dict[str, object] = {
            "bytes": {name: count for name, count in witness.bytes.items() if count},
            "closedBy": ending.closed_by.value if ending else "plane",
        }
        reason = ending.reason if ending else session.fault
        if exit_code is not None:
            extra["exitCode"] = exit_code
        if reason:
            extra["reason"] = reason
        try:
            if session.recording is not None:
                summary = session.recording.finish(
                    exit_code=exit_code, reason=reason, closed_by=str(extra["closedBy"])
                )
                extra["recording"] = {"id": session.id, "sha256": summary.sha256}
        finally:
            self._say(session, EventType.SESSION_END, Stage.RESPONSE_COMPLETE, extra=extra)

    def _say(
        self,
        session: _Session,
        kind: EventType,
        stage: Stage,
        *,
        extra: dict[str, object] | None = None,
    ) -> None:
        request = session.trail.request
        assert request is not None
        details: dict[str, object] = {
            "subresource": request.what.subresource,
            "protocol": session.call.upgrade,
            **(extra or {}),
        }
        if request.what.subresource == "exec":
            details["command"] = list(redact_command(request.values("command")))
        if request.what.subresource in _RECORDED:
            details["tty"] = request.is_set("tty")
            details["recorded"] = session.recording is not None
        session.trail.session_event(kind, stage, audit_id=session.id, extra=details)

    def _port(self, session: _Session, port: PortOpened | PortFailed) -> None:
        failed = port.message if isinstance(port, PortFailed) else ""
        extra: dict[str, object] = {"sessionID": session.id, "port": port.port}
        if failed:
            extra["error"] = failed
        session.trail.session_event(
            EventType.PORT_OPEN,
            Stage.RESPONSE_COMPLETE,
            audit_id=self._clock.uuid(),
            extra=extra,
        )


def _is_tty(trail: Trail) -> bool:
    return trail.request is not None and trail.request.is_set("tty")


def _outcome(session: _Session) -> Outcome:
    ending = session.ending
    if ending is not None and ending.reason:
        return Outcome(code=403, reason="Forbidden", message=ending.reason)
    return Outcome(code=101)


def _head(call: Call, trail: Trail, headers: Headers) -> bytes:
    assert trail.request is not None
    lines = [b"%b %b HTTP/1.1\r\n" % (call.method.encode(), trail.request.target)]
    lines += [b"%b: %b\r\n" % pair for pair in headers]
    lines.append(b"Connection: Upgrade\r\n")
    if call.method != "GET":
        lines.append(b"Content-Length: 0\r\n")
    return b"".join([*lines, b"\r\n"])


def _answer_headers(answer: Answer) -> Headers:
    upgrade = next(value for name, value in answer.headers if name.lower() == b"upgrade")
    return [(b"Connection", b"Upgrade"), (b"Upgrade", upgrade), *to_client(answer.headers)]


def _relay_refusal(session: _Session, answer: Answer) -> None:
    """Hand on what the cluster said instead of 101; success and redirects make no sense here."""
    call, trail = session.call, session.trail
    if answer.status < 400:
        message = f"cluster {trail.name} answered the upgrade with {answer.status}, not with 101"
        raise UpstreamUnavailable(message)
    session.fault = f"the cluster answered {answer.status}"
    trail.complete(Outcome(code=answer.status), bytes_sent=len(answer.body))
    headers = [*to_client(answer.headers), (b"Audit-Id", call.audit_id.encode())]
    call.reply.head(answer.status, headers, length=len(answer.body))
    call.reply.data(answer.body)
    call.reply.end()
