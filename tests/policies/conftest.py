"""Makes strategies.py importable: tests have no packages (import mode importlib)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
