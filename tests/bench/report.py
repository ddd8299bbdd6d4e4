"""The figures beside their goals."""

from collections.abc import Mapping

# What a person waits for or pays for; at most this much.
GOALS = {
    "ratio_plane_goproxy": (1.5, "CPU per request, times a plain Go proxy"),
    "keystroke_added_ms": (1.0, "ms that an exec's echo takes longer than direct"),
    "idle_watch_kb": (100.0, "kB of memory per idle watch"),
    "credentials_warm_ms": (100.0, "ms of a warm `plane kube credentials`"),
    "slow_reader_growth_mb": (20.0, "MB of growth for a slow reader of 512 MB"),
}


def table(found: Mapping[str, object]) -> str:
    """Write the figures as lines for people."""
    cpu = found["cpu_us_per_request"]
    assert isinstance(cpu, Mapping)
    lines = ["", "CPU per request (us):"]
    lines += [f"  {name:<8} {_number(value):>8}" for name, value in cpu.items()]
    lines += ["", f"{'':9}{'found':>8} {'goal':>8}"]
    for name, (goal, about) in GOALS.items():
        value = found[name]
        assert isinstance(value, float | int)
        word = "ok" if value <= goal else "MISSED"
        lines.append(f"  {word:<7}{_number(value):>8} {_number(goal):>8}  {about}")
    return "\n".join(lines)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | int) else "-"
