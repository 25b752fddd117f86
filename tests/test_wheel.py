"""The wheel, built from the sources and installed elsewhere: complete, and its commands run."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests.study.sweeps import BOTH_COMPLETED, TINY
from tests.wheels import build_wheel, create_environment, install, run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("nerf", "study", "analysis")
COMMANDS = (
    "nerf-sweep",
    "nerf-status",
    "nerf-train",
    "nerf-video",
    "nerf-export",
    "nerf-view",
    "nerf-report",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, as setuptools leaves its work beside the sources."""
    sources = tmp_path_factory.mktemp("sources") / "nerf-study"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, sources / package, ignore=ignored)
    return build_wheel(sources, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands in an environment that has the wheel.

    Dependencies are those of the running one; of its .pth files, editable installs among them, none
    is read, since Python reads those of an environment's own folder alone.
    """
    root = tmp_path_factory.mktemp("an environment")
    dependencies = [path for path in sys.path if path.endswith("-packages")]
    (create_environment(root) / "dependencies.pth").write_text("\n".join(dependencies))
    return install(wheel, root)


def test_every_module_and_data_file_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    data = [
        *(ROOT / "study" / "cluster").iterdir(),
        *(ROOT / "analysis" / "pages" / "templates").iterdir(),
        *(ROOT / "analysis" / "pages").glob("report.*"),
    ]
    assert len(data) > 10
    modules = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    files = {file.relative_to(ROOT).as_posix() for file in (*modules, *data) if file.is_file()}
    assert files - names == set()
    assert {name.split("/")[0] for name in names} == {*PACKAGES, wheel_info(wheel)}


def wheel_info(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{name}-{version}.dist-info"


def test_what_is_imported_comes_from_the_wheel(scripts: Path, tmp_path: Path) -> None:
    code = f"import {', '.join(PACKAGES)}; print(*(p.__file__ for p in ({', '.join(PACKAGES)})))"
    files = run(scripts / "python", "-c", code, cwd=tmp_path).strip()
    assert files.count(str(scripts.parent)) == len(PACKAGES), files


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(scripts: Path, tmp_path: Path, command: str) -> None:
    assert run(scripts / command, "--help", cwd=tmp_path).startswith("usage: ")


def test_a_study_of_two_variants_runs_in_an_empty_folder(
    scripts: Path, scene_file: Path, tmp_path: Path
) -> None:
    variants = tmp_path / "variants.toml"
    variants.write_text('[variants.narrow]\n[variants.wide]\n"field.width" = 32\n')
    empty = tmp_path / "empty"
    empty.mkdir()
    settings = [option for option in TINY if option.startswith("--set")]
    study = [f"--study={variants}", "--name=first", "--steps=20", "--max-concurrent=1"]
    output = run(scripts / "nerf-sweep", "--scene", scene_file, *study, *settings, cwd=empty)
    assert re.search(BOTH_COMPLETED, output)
    report = (empty / "studies" / "first" / "report.html").read_text()
    assert "How do the variants compare with narrow?" in report
    assert "train it for longer with:\n  nerf-train --scene" in output
    assert [file.name for file in empty.iterdir()] == ["studies"]
