"""How messages name this program's commands: as files of a checkout, or as console scripts."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

CONSOLE_SCRIPTS = {
    "study/run_sweep.py": "nerf-sweep",
    "study/status.py": "nerf-status",
    "nerf/train.py": "nerf-train",
    "nerf/video.py": "nerf-video",
    "nerf/export.py": "nerf-export",
    "nerf/view.py": "nerf-view",
    "analysis/report.py": "nerf-report",
}
"""Names of the commands in an installation, by their files in a checkout."""

_ROOT = Path(__file__).parents[2]


def command_name(file: str) -> str:
    """What messages call a command: its `file` in a checkout, its console script elsewhere.

    Examples: "study/run_sweep.py", "nerf-sweep".
    """
    return file if _is_checkout() else CONSOLE_SCRIPTS[file]


def command_line(file: str, *arguments: object) -> str:
    """A command to paste into a shell, such as `python study/run_sweep.py --resume`."""
    if not _is_checkout():
        return shlex.join([CONSOLE_SCRIPTS[file], *map(str, arguments)])
    # Short where it is valid: at the checkout's root.
    path = file if Path.cwd() == _ROOT else str(_ROOT / file)
    return shlex.join(["python", path, *map(str, arguments)])


def command_at_root(file: str, *arguments: object) -> str:
    """A command that stays true where its text is kept: for a shell at the root of the checkout.

    Paths within the checkout are given from its root.
    """
    program = ["python", file] if _is_checkout() else [CONSOLE_SCRIPTS[file]]
    return shlex.join([*program, *map(_from_root, arguments)])


def _from_root(argument: object) -> str:
    if isinstance(argument, Path) and (path := argument.resolve()).is_relative_to(_ROOT):
        return str(path.relative_to(_ROOT))
    return str(argument)


def _is_checkout() -> bool:
    """Whether commands are run as files of a checkout: not from a wheel, nor by console scripts."""
    runs_console_script = Path(sys.argv[0]).stem in CONSOLE_SCRIPTS.values()
    return not runs_console_script and (_ROOT / "pyproject.toml").exists()
