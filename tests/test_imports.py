"""Every module can be the first one imported, and the light ones stay light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

EACH_ALONE = """
import importlib, sys
for name in sys.argv[1:]:
    for loaded in [n for n in sys.modules if n.split(".")[0] in ("nerf", "study", "analysis")]:
        del sys.modules[loaded]
    importlib.import_module(name)
"""


def test_no_order_of_imports_is_needed() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("nerf", "study", "analysis")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__init__.py" and "notebooks" not in path.parts
    ]
    command = [sys.executable, "-c", EACH_ALONE, *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


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
