"""What is kept of a splice: tap events become recording, ports and counters.

Called before the bytes go on, so that nothing is shown or executed that was not kept.
"""

import logging
from collections.abc import Iterable
from typing import Protocol

from plane.errors import EvidenceUnavailable
from plane.kube.tap import (
    Ended,
    Input,
    Output,
    PortData,
    PortFailed,
    PortOpened,
    Resize,
    TapEvent,
)

_log = logging.getLogger(__name__)


class Recording(Protocol):
    """An open recording; recording.recorder.Recording is one."""

    def output(self, stream: str, data: bytes) -> None:
        """Keep output."""
        ...

    def input(self, data: bytes) -> None:
        """Keep or count input."""
        ...

    def resize(self, width: int, height: int) -> None:
        """Keep a terminal's new size."""
        ...


class Witness:
    """Takes a session's tap events; `strict`: a recording that fails ends the session."""

    def __init__(self, recording: Recording | None, *, strict: bool) -> None:
        self._recording = recording
        self._strict = strict
        self.ended: Ended | None = None
        self.bytes = {"stdin": 0, "stdout": 0, "stderr": 0, "port": 0}

    def see(self, events: Iterable[TapEvent]) -> list[PortOpened | PortFailed]:
        """Keep the events; returns the ports that were opened or failed, for the audit log."""
        ports: list[PortOpened | PortFailed] = []
        for event in events:
            match event:
                case Output(stream=stream, data=data):
                    self.bytes[stream] += len(data)
                    self._keep_output(stream, data)
                case Input(data=data, size=size):
                    self.bytes["stdin"] += size
                    self._keep_input(data)
                case Resize(width=width, height=height):
                    self._keep_size(width, height)
                case Ended():
                    self.ended = event
                case PortOpened() | PortFailed():
                    ports.append(event)
                case PortData(sent=sent, received=received):
                    self.bytes["port"] += sent + received
        return ports

    def _keep_output(self, stream: str, data: bytes) -> None:
        if self._recording is not None:
            try:
                self._recording.output(stream, data)
            except EvidenceUnavailable:
                self._lost()

    def _keep_input(self, data: bytes) -> None:
        if self._recording is not None:
            try:
                self._recording.input(data)
            except EvidenceUnavailable:
                self._lost()

    def _keep_size(self, width: int, height: int) -> None:
        if self._recording is not None:
            try:
                self._recording.resize(width, height)
            except EvidenceUnavailable:
                self._lost()

    def _lost(self) -> None:
        if self._strict:
            raise EvidenceUnavailable("the session's recording cannot be written")
        _log.error("a recording cannot be written; the session goes on (best effort)")
        self._recording = None
