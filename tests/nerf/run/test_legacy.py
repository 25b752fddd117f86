"""A run folder that the version before wrote on a CPU and left before its end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import imageio.v3 as iio
import pytest

from nerf import train, video
from nerf.config.flat import BEFORE_ADDED, flatten
from nerf.config.parameters import DERIVED
from nerf.config.schema import NerfConfig, Optimisation
from tests.nerf.run.scripts import ROOT, run_script


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "tests" / "legacy" / "run", tmp_path / "run"))


def test_an_old_run_is_resumed_and_its_video_rendered(old_run: Path) -> None:
    saved = json.loads((old_run / "run.json").read_text())
    resumed = run_script("train.py", "--resume", "--out", old_run, "--gpus", 0, cwd=old_run)
    assert resumed.returncode == 0, resumed.stderr
    printed = [line.split(":")[0] for line in resumed.stdout.splitlines()]
    assert "step 50" not in printed, "trained again from the start"
    result = json.loads((old_run / "result.json").read_text())
    assert result["steps"] == saved["config"]["optimisation.steps"] == 200
    assert [point["step"] for point in result["curve"]] == [50, 100, 150, 200]
    assert result["state"] == "completed"
    psnr = [point["psnr"] for point in result["curve"]]
    assert psnr[-1] > psnr[1], "training continued to learn"

    assert video.main([str(old_run), "--frames=4"]) == 0
    frames = iio.imread(old_run / "video.mp4")
    assert frames.shape == (4, 100, 200, 3)
    assert frames.std() > 1


def test_a_whole_configuration_of_an_earlier_version_starts_as_it_did(tmp_path: Path) -> None:
    """A best.toml names every parameter that there was; one that names a few keeps the defaults."""
    recorded = flatten(NerfConfig(optimisation=Optimisation(warm_up=0, crop_steps=0)))
    for path in ("seed", *DERIVED, *BEFORE_ADDED):
        del recorded[path]
    lines = [f"{path} = {json.dumps(value)}" for path, value in recorded.items()]
    (tmp_path / "best.toml").write_text("\n".join(lines))
    (tmp_path / "some.toml").write_text("optimisation.warm_up = 0")
    best, some = (
        train._settings(train.parse_options(["--config", str(tmp_path / name)]))
        for name in ("best.toml", "some.toml")
    )
    assert (best["field.initial_density"], best["optimisation.crop"]) == (0.0, "centre")
    assert "field.initial_density" not in some
