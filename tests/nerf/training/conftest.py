"""The benchmarks' folder is on the path, as for the benchmarks themselves: fake_cuda is there."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
