"""Benchmarks are scripts that import their siblings: their folder is on the path here as well."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
