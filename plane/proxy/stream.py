"""exec, attach and port-forward: upgrade, splice, tap and record.

The order is what makes it safe: refuse what the tap could not follow, open the recording, write
the start to disk, only then reach the cluster; and splice only after a true 101 (CVE-2018-1002105).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from plane.audit.events import EventType, Outcome, Stage
from plane.audit.redact import command as redact_command
from plane.clock import Clock
from plane.errors import BadRequest, EvidenceUnavailable, PlaneError, UpstreamUnavailable
from plane.kube.headers import Headers, to_client
from plane.kube.tap import PortFailed, PortOpened, TapError, choose_tap, offered
from plane.proxy.call import Call
from plane.proxy.live import LiveStream
from plane.proxy.route import Route
from plane.proxy.splice import Ending, Sides, Splice
from plane.proxy.trail import Trail
from plane.proxy.witness import Witness
from plane.recording.recorder import Header, Recorder, Recording
from plane.upstream.base import Stream
from plane.upstream.upgrade import Answer, agrees, ask
