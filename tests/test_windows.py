"""Windows, imitated: every module imports there, and run_sweep.py names the way out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What Windows lacks is removed before anything of this project is imported. Ray, which has its own
# demands, is left out with the modules that need it.
IMPORT_ALL_THEN_RUN = """
import importlib, os, pkgutil, signal, sys, warnings

warnings.simplefilter("ignore")  # filelock warns of a system without locks
sys.modules["fcntl"] = None
sys.modules["ray"] = None
del signal.SIGHUP, os.O_DIRECTORY

import nerf, study, analysis

SCRIPTS = {"study.trainers.program.watchdog"}  # of its own, run beside a program
NEED_RAY = {"study.api.tune_pieces", "study.api.tune_reports",
            "study.driver.capacity", "study.driver.cluster", "study.driver.gpu_check",
            "study.driver.launch", "study.driver.launch_callback", "study.driver.packing",
            "study.driver.ray_internals", "study.driver.ray_session",
            "study.driver.ray_tune_adapters", "study.worker.batch_client", "study.worker.job",
            "study.worker.trainable"}
for package in (nerf, study, analysis):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        is_left_out = module.name in NEED_RAY | SCRIPTS
        if not is_left_out and not module.name.startswith("analysis.notebooks."):
            importlib.import_module(module.name)

sys.platform = "win32"
sys.exit(study.run_sweep.main(["--studies", sys.argv[1], "--name", "one"]))
"""


def test_every_module_imports_and_a_sweep_is_refused_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", IMPORT_ALL_THEN_RUN, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: study/run_sweep.py does not run on Windows")
    assert "WSL" in line
    assert not list(tmp_path.iterdir())
