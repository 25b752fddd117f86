"""examples/lightning_nerf.py as a study: killed with its driver, resumed to the step, in W&B."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from study.records.study_folder import StudyFolder
from tests.study.sweeps import end_of, kill_tree, start, wait_for
from tests.study.wandb_runs import read_run

EXAMPLE = Path(__file__).parents[3] / "examples" / "lightning_nerf.py"


@pytest.mark.soak
@pytest.mark.slow
def test_a_killed_study_of_the_lightning_nerf_resumes_to_the_step(
    tmp_path: Path, scene_file: Path
) -> None:
    pytest.importorskip("pytorch_lightning", reason="Lightning is not installed")
    options = [
        f"--trainable={EXAMPLE}:train",
        f"--scene={scene_file}",
        "--metric=val_psnr",
        "--direction=max",
        "--unit=dB",
        "--vary=lr",
        "--set=width=16",
        "--set=rays=64",
        "--set=wandb=runs",
        "--name=a",
        "--explore=2",
        "--optimise=0",
        "--replicates=0",
        "--steps=600",
        "--max-concurrent=1",
    ]
    folder = StudyFolder(tmp_path / "studies" / "a")
    log = folder.log("00000")
    first = start(*options, cwd=tmp_path)
    wait_for(first, lambda: log.exists() and "step 200:" in log.read_text())
    kill_tree(first)
    killed_after = int(re.findall(r" step (\d+):", log.read_text())[-1])
    assert killed_after < 600
    assert folder.count_records() == 0

    status, output = end_of(start(*options, "--resume", cwd=tmp_path))
    assert status == 0, output
    resumed = re.findall(r"resumes after step (\d+)", log.read_text())
    # It may have saved one more checkpoint, and died before it reported.
    assert resumed in ([str(killed_after)], [str(killed_after + 100)])
    trials, curves = folder.read_trials(), folder.read_curves()
    assert list(trials["state"]) == ["completed"] * 2
    assert (trials["val_psnr"] > 10).all()
    for trial_id, curve in curves.groupby("trial_id"):
        assert list(curve["step"]) == [100, 200, 300, 400, 500, 600], trial_id
    assert folder.render("00000").exists()

    runs = [read_run(run) for run in sorted(tmp_path.glob("runs/wandb/offline-run-*"))]
    killed, *ended = runs
    assert killed.id in ("a-00000", ""), "W&B writes every second; the kill may have come before"
    assert [run.id for run in ended] == ["a-00000", "a-00001"]
    for run in ended:
        assert run.config["width"] == 16
        assert "val_psnr" in run.summary
