"""What the kernel says that a process has used (Linux only)."""

from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process, of all its threads and of its children."""
    total = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        # proc(5): nanoseconds on a CPU; stat counts in ticks of 10 ms.
        total += int((task / "schedstat").read_text().split()[0]) / 1e9
        children = (task / "children").read_text().split()
        total += sum(cpu_seconds(int(child)) for child in children)
    return total


def resident_kb(pid: int) -> int:
    """Resident memory in kB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)
