"""make bench: measure, print beside the goals, write .bench/latest.json."""

import json
import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from cluster.build import say

from bench import measure
from bench.rig import Rig

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / ".bench"

# What the project promises; printed beside what was measured, never asserted.
GOALS: Mapping[str, float] = {
    "ratio_plane_goproxy": 1.5,
    "keystroke_added_ms": 1.0,
    "idle_watch_kb": 100.0,
    "credentials_warm_ms": 100.0,
    "slow_reader_growth_mb": 20.0,
}


def run(rig: Rig) -> dict[str, object]:
    """Measure everything on a started rig."""
    targets = rig.start()
    upstream, plane = targets["upstream"], targets["plane"]
    proxies = [targets[name] for name in ("nginx", "goproxy", "plane") if name in targets]
    say(f"CPU per request of {', '.join(target.name for target in proxies)} ...")
    rounds = measure.cpu_us_per_request(rig, proxies)
    ratios = [each["plane"] / each["goproxy"] for each in rounds]
    say("keystrokes in an exec ...")
    direct, through = measure.keystroke_ms(rig, upstream), measure.keystroke_ms(rig, plane)
    say("a slow reader, idle watches, the credential plugin ...")
    return {
        "cpu_us_per_request": {
            target.name: round(statistics.median(each[target.name] for each in rounds), 1)
            for target in proxies
        },
        "ratio_plane_goproxy": round(statistics.median(ratios), 2),
        "keystroke_added_ms": round(through - direct, 3),
        "slow_reader_growth_mb": round(measure.slow_reader_growth_mb(rig, plane), 1),
        "idle_watch_kb": round(measure.idle_watch_kb(rig, plane), 1),
        "credentials_warm_ms": round(measure.credentials_warm_ms(rig.person), 1),
        "rounds": [{name: round(value, 1) for name, value in each.items()} for each in rounds],
        "keystroke_ms": {"direct": round(direct, 3), "plane": round(through, 3)},
        "goals": dict(GOALS),
        "machine": {
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def main() -> int:
    """Run the bench in a folder of its own."""
    # Two runs at once would spoil each other's numbers, but not each other's files.
    folder = OUTPUT / f"rig-{os.getpid()}"
    rig = Rig(folder)
    try:
        result = run(rig)
    finally:
        rig.stop()
    shutil.rmtree(folder)
    (OUTPUT / "latest.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["cpu_us_per_request"]), "CPU us per request")
    for name, goal in GOALS.items():
        value = result[name]
        assert isinstance(value, float)
        print(f"{name:24} {value:8} (goal: at most {goal:g}){'' if value <= goal else '   missed'}")
    print(f"written to {OUTPUT / 'latest.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
