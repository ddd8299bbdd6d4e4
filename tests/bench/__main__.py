"""make bench: measure, print a table, write .bench/latest.json; the exit status is 0 whatever it says."""

import json
import tempfile
from pathlib import Path

from cluster.build import say

from bench import figures, report
from bench.stage import Stage

FOLDER = Path(__file__).parents[2] / ".bench"


def main() -> int:
    """Measure everything on one stage."""
    with tempfile.TemporaryDirectory(prefix="plane-bench-") as folder:
        stage = Stage(Path(folder))
        try:
            say("starting a stand-in cluster, nginx, a Go proxy and plane ...")
            stage.start()
            found = figures.all_of(stage, tell=say)
        finally:
            stage.stop()
    FOLDER.mkdir(exist_ok=True)
    latest = FOLDER / "latest.json"
    latest.write_text(json.dumps(found, indent=2) + "\n")
    print(report.table(found))
    print(f"\nwritten to {latest.relative_to(FOLDER.parent)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
