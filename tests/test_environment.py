"""The conda environment asks for exactly what pyproject.toml asks for."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def test_conda_and_pip_pins_are_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((ROOT / "environment.yaml").read_text())["dependencies"]
    (pip_pins,) = (entry["pip"] for entry in environment if isinstance(entry, dict))
    assert f"python{project['requires-python']}" in environment
    assert pip_pins == [*project["dependencies"], "--editable ."]
