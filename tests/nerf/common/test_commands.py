"""How messages name the commands, in a checkout and in an installation."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from nerf.common import commands
from nerf.common.commands import (
    CONSOLE_SCRIPTS,
    command_at_root,
    command_line,
    command_name,
)

ROOT = Path(__file__).parents[3]


def test_every_console_script_has_its_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    entry_points = {
        script: f"{file.removesuffix('.py').replace('/', '.')}:main"
        for file, script in CONSOLE_SCRIPTS.items()
    }
    assert entry_points == project["scripts"]
    assert all((ROOT / file).exists() for file in CONSOLE_SCRIPTS)


def test_a_checkout_has_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", ["study/run_sweep.py", "--plain"])
    assert command_name("study/run_sweep.py") == "study/run_sweep.py"
    monkeypatch.chdir(ROOT)
    line = command_line("nerf/train.py", "--out", Path("my runs"), "--steps", 5)
    assert line == "python nerf/train.py --out 'my runs' --steps 5"
    monkeypatch.chdir(tmp_path)  # the command is valid here, too
    assert command_line("nerf/train.py") == f"python {ROOT / 'nerf' / 'train.py'}"


def test_a_kept_command_is_for_the_root_of_the_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["study/run_sweep.py"])
    monkeypatch.chdir(tmp_path)
    line = command_at_root("study/run_sweep.py", "--studies", ROOT / "studies", "--extend", 0)
    assert line == "python study/run_sweep.py --studies studies --extend 0"
    assert command_at_root("nerf/train.py", tmp_path) == f"python nerf/train.py {tmp_path}"


@pytest.mark.parametrize("script", ["/usr/bin/nerf-status", r"nerf-status.exe"])
def test_a_console_script_names_console_scripts(
    monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr("sys.argv", [script])
    assert command_name("study/run_sweep.py") == "nerf-sweep"
    assert command_line("study/run_sweep.py", "--name", "a b") == "nerf-sweep --name 'a b'"


def test_an_installation_has_console_scripts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["notebook.py"])
    monkeypatch.setattr(commands, "_ROOT", tmp_path)  # such as site-packages
    assert command_name("analysis/report.py") == "nerf-report"
