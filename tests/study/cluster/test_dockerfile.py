"""The Dockerfile, as far as it can be checked without Docker; `.ci/run` lints it, too."""

from __future__ import annotations

import fnmatch
import re
import shlex
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
CLUSTER = ROOT / "study" / "cluster"


def instructions(name: str) -> list[str]:
    """What follows each instruction of this name, its continued lines joined."""
    text = re.sub(r"^#.*\n", "", (CLUSTER / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


def test_the_base_image_is_pinned_by_its_digest() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)


def test_it_does_not_run_as_root() -> None:
    assert instructions("USER") == ["1000"]
    (system,) = (run for run in instructions("RUN") if "useradd" in run)
    assert "--uid 1000 ray" in system, "whose home has the token in ray-cluster.yaml"


def test_it_installs_this_project_for_a_cpu_or_cuda() -> None:
    dependencies, project = instructions("RUN")[1:]
    assert '--torch-backend="$TORCH" --requirement pyproject.toml' in dependencies
    assert project.endswith("--no-deps --editable .")
    assert instructions("ARG") == ["TORCH=cu130"]


def test_what_it_copies_exists_and_is_not_ignored() -> None:
    ignored = (CLUSTER / "Dockerfile.dockerignore").read_text().split()
    assert ignored[0] == "*"
    for copied in instructions("COPY"):
        *sources, _ = shlex.split(copied)
        for source in sources:
            assert (ROOT / source).exists()
            assert f"!{source}" in ignored
            assert not any(fnmatch.fnmatch(source, pattern) for pattern in ignored[1:])


def test_what_the_cluster_files_need_of_it() -> None:
    (system,) = (run for run in instructions("RUN") if "apt-get" in run)
    launcher = yaml.safe_load((CLUSTER / "ray-cluster.yaml").read_text())
    assert {"openssh-client", "rsync"} <= set(system.split()), "Ray's launcher"
    assert launcher["provider"]["type"] == "aws"
    assert "boto3" in instructions("RUN")[1]
    job = yaml.safe_load((CLUSTER / "rayjob.yaml").read_text())
    assert f"cd {instructions('WORKDIR')[0]} &&" in job["spec"]["entrypoint"]
    assert '"ray[default]"' in instructions("RUN")[1], "KubeRay submits jobs to its dashboard"
