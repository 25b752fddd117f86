"""Wheels of this repository, built and installed into environments of their own, offline."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from packaging.requirements import Requirement

from tests.study.sweeps import PATIENCE

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def run(*command: str | Path, cwd: Path) -> str:
    """What a command that succeeds prints; nothing but its own environment is on Python's path."""
    done = try_run(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout
    return done.stdout


def try_run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """As `run`, for a command that may fail; standard error is in its `stdout`."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )


def build_wheel(project: Path, out: Path) -> Path:
    """Builds the wheel of a project, without a download where what it is built with is here."""
    isolation = ["--no-build-isolation"] if can_build(project) else []
    run(*PIP, "wheel", "--quiet", "--no-deps", *isolation, "--wheel-dir", out, project, cwd=out)
    (wheel,) = out.glob("*.whl")
    return wheel


def can_build(project: Path) -> bool:
    """Whether the running environment has what builds the project."""
    settings = tomllib.loads((project / "pyproject.toml").read_text())["build-system"]
    for requirement in map(Requirement, settings["requires"]):
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            return False
        if not requirement.specifier.contains(version):
            return False
    return True


def create_environment(root: Path) -> Path:
    """Creates an empty environment, without pip; returns its site-packages."""
    venv.create(root, symlinks=True)
    (site_packages,) = root.glob("lib/python*/site-packages")
    return site_packages


def install(wheel: Path, environment: Path) -> Path:
    """Installs a wheel without its dependencies; returns the folder of its commands."""
    commands = environment / "bin"
    to = ["--python", commands / "python", "install", "--quiet", "--no-deps", "--ignore-installed"]
    run(*PIP, *to, wheel, cwd=environment)
    return commands
