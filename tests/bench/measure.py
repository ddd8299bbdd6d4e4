"""The measurements; each returns numbers and changes nothing but the load on the rig."""

import os
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from world import Person

from bench.rig import Rig, Target, plugin

_EXEC = "/api/v1/namespaces/default/pods/p/exec?command=sh&stdin=true&stdout=true&tty=true"
_BIG = "/api/v1/namespaces/default/pods/p/log?mb=512"
_WATCH = "/api/v1/pods?watch=true"


def cpu_us_per_request(
    rig: Rig, targets: Sequence[Target], *, requests: int = 12_000, rounds: int = 3
) -> list[dict[str, float]]:
    """Return CPU microseconds per request by name, one dict per round; all take part in each round."""
    for target in targets:
        _load(rig, target, requests // 4)
    return [{target.name: _one(rig, target, requests) for target in targets} for _ in range(rounds)]


def keystroke_ms(rig: Rig, target: Target, *, count: int = 400) -> float:
    """Return the median milliseconds from a key to its echo in an exec."""
    return float(_stand(rig, "keys", target, _EXEC, str(count))) / 1000


def idle_watch_kb(rig: Rig, target: Target, *, count: int = 1000) -> float:
    """Return by how many kB each idle watch, on a TLS connection of its own, makes the process grow."""
    _load(rig, target, 1000)
    before = _rss_kb(target.pid)
    with _running(rig, "watches", target, _WATCH, str(count)):
        return (_rss_kb(target.pid) - before) / count


def slow_reader_growth_mb(rig: Rig, target: Target, *, seconds: int = 6) -> float:
    """Return by how many MB a reader of 3 MB/s of a 512 MB body makes the process grow at most."""
    before = peak = _rss_kb(target.pid)
    with _running(rig, "slow", target, _BIG, str(seconds)) as child:
        while child.poll() is None:
            peak = max(peak, _rss_kb(target.pid))
            time.sleep(0.05)
    return (peak - before) / 1024


def credentials_warm_ms(person: Person, *, count: int = 15) -> float:
    """Return the median milliseconds of the credential plugin with a live login."""
    command, took = plugin(person), []
    for _ in range(count):
        began = time.monotonic()
        assert person.run(*command).returncode == 0
        took.append((time.monotonic() - began) * 1000)
    return statistics.median(took)


def _one(rig: Rig, target: Target, requests: int) -> float:
    before = _cpu_ns(target.pid)
    _load(rig, target, requests)
    return (_cpu_ns(target.pid) - before) / 1000 / requests


def _load(rig: Rig, target: Target, requests: int) -> None:
    connections = 16
    count = requests // connections * connections
    _stand(rig, "requests", target, "", str(connections), str(count))


def _command(rig: Rig, verb: str, target: Target, path: str, *more: str) -> list[str]:
    url = target.url(path) if path else target.url()
    return [str(rig.stand), verb, url, *target.credentials(), *more]


def _stand(rig: Rig, verb: str, target: Target, path: str, *more: str) -> str:
    command = _command(rig, verb, target, path, *more)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"{verb} against {target.name}: {done.stderr}")
    return done.stdout


@contextmanager
def _running(
    rig: Rig, verb: str, target: Target, path: str, *more: str
) -> Iterator[subprocess.Popen[bytes]]:
    command = _command(rig, verb, target, path, *more)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        if child.stdout.readline() != b"open\n":
            raise RuntimeError(f"{verb} against {target.name} did not start")
        try:
            yield child
        finally:
            child.kill()


def _cpu_ns(pid: int) -> int:
    """Sum the CPU time of all threads, in nanoseconds (the first number of schedstat)."""
    tasks = Path(f"/proc/{pid}/task")
    if not (tasks / str(pid) / "schedstat").exists():
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


def _rss_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
