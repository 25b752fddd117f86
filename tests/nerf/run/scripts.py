"""The commands of nerf/ as processes of their own, run by file as the README does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def command_line(script: str, *arguments: object) -> list[str]:
    return [sys.executable, str(ROOT / "nerf" / script), *map(str, arguments)]


def run_script(script: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line(script, *arguments), cwd=cwd, capture_output=True, text=True, timeout=120
    )
