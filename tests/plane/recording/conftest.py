import json
from dataclasses import dataclass, replace

import pytest

from plane.clock import Clock
from plane.recording.header import Header
from plane.recording.recorder import Recorder

ID = "4f1c1c1e-0d5c-4b51-9a53-0a4f6b1b2c3d"
HEADER = Header(
    id=ID,
    audit_id="a1",
    session="s1",
    user="joe",
    connector="local",
    subject="joe-1",
    cluster="west",
    namespace="shop",
    pod="web-0",
    command=("sh", "-c", "date"),
    tty=True,
)


@dataclass
class Desk:
    """A recorder with a clock that the test turns."""

    folder: object
    seconds: float = 1764000000.0

    def __post_init__(self):
        clock = Clock(now=lambda: self.seconds, monotonic=lambda: self.seconds)
        self.recorder = Recorder(self.folder, clock, flush_seconds=0.01)

    def open(self, **changes):
        return self.recorder.open(replace(HEADER, **changes))

    def cast(self, name=ID):
        (path,) = self.folder.glob(f"*/{name}.cast")
        return path

    def events(self):
        return [json.loads(line) for line in self.cast().read_bytes().splitlines()[1:]]

    def sidecar(self, name=ID):
        return json.loads(self.cast(name).with_suffix(".json").read_text())


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "recordings")
