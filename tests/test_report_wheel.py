"""nerf-report, the reports alone: its wheel runs where PyTorch, Ray, Optuna and W&B are missing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import optuna
import pytest
from packaging.requirements import Requirement

from tests.wheels import PIP, build_wheel, create_environment, install, run, try_run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "analysis"
ABSENT = ("torch", "ray", "optuna", "wandb", "rich", "psutil", "filelock", "imageio")

IMPORT_ALL = """
import importlib, pkgutil
import analysis, nerf, study
for package in (analysis, nerf, study):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
        print(module.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(PROJECT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands in an environment that has the wheel and what it requires.

    That is linked from the running environment; nothing else of it can be imported.
    """
    environment = tmp_path_factory.mktemp("an environment")
    site_packages = create_environment(environment)
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    for entry in top_level_entries(project["dependencies"]):
        (site_packages / entry.name).symlink_to(entry)
    return install(wheel, environment)


def top_level_entries(requirements: Iterable[str]) -> set[Path]:
    """Files and folders in site-packages of distributions and of all that they require."""
    entries: set[Path] = set()
    pending, seen = list(requirements), set()
    while pending:
        requirement = Requirement(pending.pop())
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if not applies or requirement.name in seen:
            continue
        seen.add(requirement.name)
        distribution = importlib.metadata.distribution(requirement.name)
        pending += distribution.requires or []
        tops = {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}
        entries |= {Path(str(distribution.locate_file(top))) for top in tops}
    return entries


def test_the_wheel_holds_reports_and_what_they_read(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    pages = PROJECT / "pages"
    data = {file.relative_to(ROOT).as_posix() for file in pages.rglob("*") if file.is_file()}
    data = {name for name in data if not name.endswith((".py", ".pyc"))}
    assert {name for name in names if not name.endswith(".py")} == {*data, "analysis/LICENSE"}
    assert {name.split("/")[0] for name in names} == {"analysis", "nerf", "study"}
    rooms = {name.split("/")[1] for name in names if name.startswith("analysis/")}
    assert rooms.isdisjoint({"notebooks", "published", "results"})


def test_what_it_needs_is_all_there_is(commands: Path, tmp_path: Path) -> None:
    python = commands / "python"
    find = f"from importlib.util import find_spec; print(*filter(find_spec, {ABSENT!r}))"
    assert run(python, "-c", find, cwd=tmp_path) == "\n"
    assert "No module named 'torch'" in try_run(python, "-c", "import torch", cwd=tmp_path).stdout
    checked = run(*PIP, "--python", python, "check", cwd=tmp_path)
    assert "No broken requirements" in checked
    modules = run(python, "-c", IMPORT_ALL, cwd=tmp_path).split()
    assert {"analysis.report", "nerf.config.schema", "study.storage.remote"} <= set(modules)


def test_help_needs_neither_scipy_nor_plotly(commands: Path, tmp_path: Path) -> None:
    assert run(commands / "nerf-report", "--help", cwd=tmp_path).startswith("usage: nerf-report ")
    code = "import sys, analysis.report; print(*{'scipy', 'plotly', 'jinja2'} & {*sys.modules})"
    assert run(commands / "python", "-c", code, cwd=tmp_path) == "\n"


def test_a_study_folder_gets_a_report(commands: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(ROOT / "tests" / "legacy" / "study", study)
    output = run(commands / "nerf-report", study, cwd=tmp_path)
    assert output.splitlines()[-1] == str(study / "report.html")
    assert "plotly" in (study / "report.html").read_text()


def test_a_table_gets_a_report(commands: Path, tmp_path: Path) -> None:
    table = tmp_path / "sweep.csv"
    rows = [(k * 0.618 % 1, k * 0.414 % 1) for k in range(1, 65)]
    lines = [f"{width:.4f},{depth:.4f},{20 + 5 * width:.4f}" for width, depth in rows]
    table.write_text("\n".join(["width,depth,psnr", *lines]) + "\n")
    priors = ["--prior=width=0:1", "--prior=depth=0:1"]
    options = [table, "--metric=psnr", *priors, "--format=json"]
    output = run(commands / "nerf-report", *options, cwd=tmp_path)
    (claims,) = (Path(line) for line in output.splitlines() if line.endswith("claims.json"))
    shares = {
        tuple(claim["parameters"]): claim["estimate"]
        for claim in json.loads(claims.read_text())
        if claim["kind"] == "share"
    }
    assert shares[("width",)] > 0.9
    assert "width" in output


def test_a_mistake_is_one_line(commands: Path, tmp_path: Path) -> None:
    done = try_run(commands / "nerf-report", "nowhere.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout.startswith("error: ")
    assert done.stdout.count("\n") == 1


def test_an_optuna_storage_without_optuna_names_what_to_install(
    commands: Path, tmp_path: Path
) -> None:
    study = optuna.create_study(storage=f"sqlite:///{tmp_path}/optuna.db")
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=2)
    done = try_run(commands / "nerf-report", "optuna.db", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1].startswith("error: ")
    assert "pip install optuna" in done.stdout


def test_a_figure_without_kaleido_names_what_to_install(commands: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(ROOT / "tests" / "legacy" / "study", study)
    done = try_run(commands / "nerf-report", study, "--figures=svg", cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install kaleido" in done.stdout


def test_an_sdist_is_refused_with_the_way_out(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    code = f"import hatchling.build; hatchling.build.build_sdist({str(tmp_path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "build with python -m build --wheel" in done.stderr.splitlines()[-1]
