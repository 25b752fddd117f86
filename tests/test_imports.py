"""Every module can be the first one imported, and the light ones stay light."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ALL_WATCHED = """
import builtins, importlib, sys
from itertools import accumulate

OURS = ("nerf", "study", "analysis")
original = builtins.__import__

def import_watched(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {}).get("__name__", "")
    if {importer.split(".")[0], name.split(".")[0]} <= set(OURS):
        named = [f"{name}.{part}" for part in fromlist or ()]
        for target in [*accumulate(name.split("."), "{}.{}".format), *named]:
            spec = getattr(sys.modules.get(target), "__spec__", None)
            within = f"{importer}.".startswith(f"{target}.")
            if getattr(spec, "_initializing", False) and not within:
                raise ImportError(f"{importer} imports {target}, whose own import has not ended")
    return original(name, globals, locals, fromlist, level)

builtins.__import__ = import_watched
for module in sys.argv[1:]:
    importlib.import_module(module)
"""
"""Imports all modules once; fails where one imports another that waits for it.

Without such a circle each module finds the same whichever comes first, so that this one order
stands for all of them.
"""

CIRCLE = "nerf.second imports nerf.first, whose own import has not ended"


def run_watched(modules: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ALL_WATCHED, *modules]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)


def test_no_order_of_imports_is_needed() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("nerf", "study", "analysis")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__init__.py" and "notebooks" not in path.parts
    ]
    done = run_watched(modules, ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        ("", "from nerf.first import ONE", "cannot import name 'ONE'"),
        ("from nerf.second import TWO\nONE = 1", "from nerf import first\nTWO = 2", CIRCLE),
        ("ONE = 1\nfrom nerf.second import TWO", "from nerf.first import ONE\nTWO = 2", CIRCLE),
        ("", "TWO = ONE", "name 'ONE' is not defined"),
    ],
)
def test_what_needs_an_order_is_found(first: str, second: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "nerf").mkdir()
    for name, text in (("__init__", ""), ("first", first), ("second", second)):
        (tmp_path / "nerf" / f"{name}.py").write_text(text)
    done = run_watched(["nerf.first", "nerf.second"], tmp_path)
    assert done.returncode == 1
    assert error in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (
            "study.cli.options, study.spec.study_spec, nerf.common.command_line",
            {"torch", "ray", "optuna", "pandas"},
        ),
        ("analysis.report, analysis.api.study_comparison", {"torch", "ray", "optuna", "wandb"}),
        ("analysis", {"numpy", "pandas", "plotly", "scipy"}),
        ("nerf.training.loop, nerf.scenes", {"ray", "optuna", "pandas", "wandb"}),
    ],
)
def test_importing_stays_light(modules: str, heavy: set[str]) -> None:
    code = f"import sys, {modules}; print(*{heavy!r}.intersection(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
