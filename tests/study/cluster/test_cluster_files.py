"""The cluster files, as far as they can be checked without the services."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from ray import autoscaler
from ray.autoscaler._private.util import prepare_config, validate_config

from study.cli.options import parse_options

FOLDER = Path(__file__).parents[3] / "study" / "cluster"


def command(text: str) -> list[str]:
    """The options of the run_sweep.py command in a text."""
    words = shlex.split(text.partition("run_sweep.py")[2])
    return [word for word in words if word != "$resume"]


def test_the_rayjob_mounts_its_volumes_and_runs_a_valid_command() -> None:
    job = yaml.safe_load((FOLDER / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster_spec = job["spec"]["rayClusterSpec"]
    assert cluster_spec["authOptions"] == {"mode": "token"}
    groups = [cluster_spec["headGroupSpec"], *cluster_spec["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        mounted = {m["name"] for c in pod["containers"] for m in c["volumeMounts"]}
        assert mounted == {v["name"] for v in pod["volumes"]} == {"studies"}
    assert cluster_spec["enableInTreeAutoscaling"], "or the workers would stay none"
    assert "include-dashboard" not in groups[0]["rayStartParams"], "KubeRay submits jobs to it"
    _, script = shlex.split(job["spec"]["entrypoint"])[1:]
    options = parse_options(command(script))
    assert (options.address, options.studies, options.plain) == ("auto", "/studies", True)


def test_the_cluster_launcher_file_has_ray_s_schema() -> None:
    launcher = yaml.safe_load((FOLDER / "ray-cluster.yaml").read_text())
    schema = Path(autoscaler.__file__).parent / "ray-schema.json"
    jsonschema.validate(launcher, json.loads(schema.read_text()))
    validate_config(prepare_config(launcher))
    starts = launcher["head_start_ray_commands"] + launcher["worker_start_ray_commands"]
    assert all("RAY_AUTH_MODE=token" in text for text in starts if "ray start" in text)
    assert "/home/ray/.ray/auth_token" in launcher["file_mounts"], "Ray does not copy it by itself"


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, list[str]]:
    """What the script runs, on a machine whose srun, ray and python only write that down."""
    log = tmp_path / "log"
    for tool in ("srun", "ray", "python"):
        stub = tmp_path / "bin" / tool
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(f'#!/bin/sh\necho {tool} "$@" >> "{log}"\n')
        stub.chmod(0o755)
    hosts = tmp_path / "bin" / "scontrol"
    hosts.write_text("#!/bin/sh\nprintf 'n1\\nn2\\nn3\\n'\n")
    hosts.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        **{"SLURM_JOB_ID": "71", "SLURM_JOB_NODELIST": "n[1-3]", "SLURM_JOB_NUM_NODES": "3"},
        "SLURM_CPUS_PER_TASK": "16",
    }
    options = ["--name", "a study", "--explore", "9"]
    done = subprocess.run(
        ["bash", str(FOLDER / "slurm.sh"), *options],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / ".ray").iterdir()), "the token is not left behind"
    lines = log.read_text().splitlines()
    return {tool: [x for x in lines if x.startswith(tool)] for tool in ("srun", "python")}


def test_slurm_starts_the_head_the_workers_and_the_sweep(slurm: dict[str, list[str]]) -> None:
    head, rest = sorted(slurm["srun"], key=lambda text: "--head" not in text)
    assert "--nodelist=n1" in head
    assert "--port=20071" in head
    assert "--nodes=2" in rest
    assert "--address=n1:20071" in rest
    (sweep,) = (text for text in slurm["python"] if "run_sweep" in text)
    options = parse_options(command(sweep.replace("a study", "'a study'")))
    assert (options.address, options.name, options.explore) == ("n1:20071", "a study", 9)
