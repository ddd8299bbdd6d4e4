"""The figures of one run. Each is a cost of plane's own process or a difference to going direct."""

import subprocess
import time
from collections.abc import Callable
from statistics import median

from cluster.build import Say
from world.server import PLANE

from bench.process import cpu_seconds, resident_kb
from bench.stage import Party, Stage
from bench.wire import Line, Terminal, context, get

REQUESTS = 12_000
CLIENTS = 16
_WARM_UP = 1_600
_ROUNDS = 3
_KEYS = 400
_WATCHES = 500
_SLOW_SECONDS = 6.0
_SLOW_BYTES_PER_SECOND = 3e6

Figures = dict[str, object]


def all_of(stage: Stage, *, tell: Say) -> Figures:
    """Measure everything, the memory of plane in a process that has done nothing else."""
    tell(f"CPU per request: {_ROUNDS} rounds of {REQUESTS} requests each ...")
    cpu = cpu_us_per_request(stage)
    plane, goproxy = cpu["plane"], cpu["goproxy"]
    assert plane is not None
    assert goproxy is not None
    tell("keystrokes ...")
    keystroke = keystroke_added_ms(stage)
    tell(f"{_WATCHES} idle watches ...")
    stage.restart_plane()
    watch = idle_watch_kb(stage.plane)
    tell("a slow reader ...")
    stage.restart_plane()
    slow = slow_reader_growth_mb(stage.plane)
    tell("plane kube credentials ...")
    return {
        "cpu_us_per_request": cpu,
        "ratio_plane_goproxy": round(plane / goproxy, 2),
        "keystroke_added_ms": keystroke,
        "idle_watch_kb": watch,
        "credentials_warm_ms": credentials_warm_ms(stage),
        "slow_reader_growth_mb": slow,
    }


def cpu_us_per_request(stage: Stage) -> dict[str, float | None]:
    """Microseconds of CPU of each proxy; the median of rounds in which they take turns."""
    parties = stage.parties()
    seen: dict[str, list[float]] = {party.name: [] for party in parties}
    for party in parties:
        _load(stage, party, _WARM_UP)
    for _ in range(_ROUNDS):
        # In turns: what else this machine does then hits all of them alike.
        for party in parties:
            before = cpu_seconds(party.pid)
            _load(stage, party, REQUESTS)
            seen[party.name].append((cpu_seconds(party.pid) - before) / REQUESTS * 1e6)
    return {
        name: round(median(seen[name]), 1) if name in seen else None
        for name in ("nginx", "goproxy", "plane")
    }


def _load(stage: Stage, party: Party, requests: int) -> None:
    who = party.identity
    command = [
        stage.program, "load", party.url, who.ca, who.certificate, who.key, str(requests), str(CLIENTS),
    ]  # fmt: skip
    subprocess.run([str(word) for word in command], check=True, timeout=120)


def keystroke_added_ms(stage: Stage) -> float:
    """Milliseconds that plane adds to the echo of a key in an exec, recorded; medians."""
    direct, through = Terminal(stage.direct), Terminal(stage.plane)
    times: dict[Terminal, list[float]] = {direct: [], through: []}
    for _ in range(_KEYS):
        for terminal, seen in times.items():
            seen.append(_seconds(terminal.key))
    for terminal in times:
        terminal.close()
    return round((median(times[through]) - median(times[direct])) * 1e3, 3)


def idle_watch_kb(plane: Party) -> float:
    """Resident memory per watch on which nothing happens, both TLS connections included."""
    get(plane)
    before = resident_kb(plane.pid)
    tls = context(plane.identity)
    lines = []
    for _ in range(_WATCHES):
        lines.append(line := Line(plane, tls))
        assert line.get("/api/v1/namespaces/default/pods?watch=1").ok
    grown = resident_kb(plane.pid) - before
    for line in lines:
        line.close()
    return round(grown / _WATCHES, 1)


def slow_reader_growth_mb(plane: Party) -> float:
    """Peak growth of resident memory while a client reads 512 MB at 3 MB/s (for 6 s)."""
    get(plane)
    before = peak = resident_kb(plane.pid)
    line = Line(plane)
    assert line.get("/api/v1/namespaces/default/configmaps/big?mb=512").ok
    began = time.monotonic()
    read = 0
    while (spent := time.monotonic() - began) < _SLOW_SECONDS:
        if read > spent * _SLOW_BYTES_PER_SECOND:
            time.sleep(0.01)
            peak = max(peak, resident_kb(plane.pid))
        else:
            read += len(line.socket.recv(65536))
    line.close()
    return round((peak - before) / 1024, 1)


def credentials_warm_ms(stage: Stage) -> float:
    """Milliseconds of a whole `plane kube credentials`, as kubectl runs it; median of 10."""
    command = [str(PLANE), "kube", "credentials", "--proxy", stage.server.url]
    env = stage.person.env

    def run() -> None:
        subprocess.run(command, env=env, check=True, capture_output=True, timeout=30)

    run()
    return round(median(_seconds(run) for _ in range(10)) * 1e3, 1)


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
