"""`python nerf/train.py` and `nerf/video.py`, run as a person runs them."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import imageio.v3 as iio
import pytest

ROOT = Path(__file__).resolve().parents[2]
QUICK = [
    "--set=field.depth=2",
    "--set=field.width=16",
    "--set=sampling.coarse=12",
    "--set=optimisation.rays=64",
    "--set=evaluation.times=4",
]


def command(script: str, *arguments: object, cwd: Path) -> list[str]:
    return [sys.executable, str(ROOT / "nerf" / script), *map(str, arguments)]


def run(script: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(script, *arguments, cwd=cwd), cwd=cwd, capture_output=True, text=True, timeout=120
    )


def test_trains_inspects_and_films(scene_file: Path, tmp_path: Path) -> None:
    done = run("train.py", "--scene", scene_file, "--steps", 24, *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "runs" / "ball"
    result = json.loads((out / "result.json").read_text())
    assert result["steps"] == 24
    assert result["config"]["field.width"] == 16
    assert {"psnr", "ssim", "seconds", "views"} <= set(result)
    assert iio.imread(out / "render.png").shape == (24, 48, 3)
    assert iio.imread(out / "progress.png").shape == (24, 96, 3)

    film = run("video.py", out, "--frames", 4, "--height", 32, cwd=tmp_path)
    assert film.returncode == 0, film.stderr
    frames = iio.imread(out / "video.mp4")
    assert frames.shape == (4, 32, 64, 3)
    assert frames.std() > 1
    flown = run(
        "video.py", out, "--frames", 3, "--format", "gif", "--path", "cameras", cwd=tmp_path
    )
    assert flown.returncode == 0, flown.stderr
    assert iio.imread(out / "video.gif", index=0).shape == (24, 48, 3)

    again = run("train.py", "--scene", scene_file, *QUICK, cwd=tmp_path)
    assert again.returncode == 2
    assert "--resume" in again.stderr

    seen = run("train.py", "--scene", scene_file, "--inspect", cwd=tmp_path)
    assert seen.returncode == 0, seen.stderr
    assert (out / "inspect.png").exists()


def test_ctrl_c_keeps_the_run_and_resume_ends_it(scene_file: Path, tmp_path: Path) -> None:
    arguments = ["--scene", scene_file, "--steps", 3000, "--out", tmp_path / "run", *QUICK]
    process = subprocess.Popen(
        command("train.py", *arguments, cwd=tmp_path), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 750"):
            break
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(timeout=30) == 130
    way_back = shlex.split(rest.splitlines()[-1])
    assert way_back[-3:] == ["--resume", "--out", str(tmp_path / "run")]
    assert not (tmp_path / "run" / "result.json").exists()

    began = time.perf_counter()
    other = run("train.py", "--resume", "--out", "run", "--set=field.width=32", cwd=tmp_path)
    assert other.returncode == 2
    assert "run was begun with field.width=16, not 32; leave that out" in other.stderr

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    resumed = run("train.py", "--resume", "--out", "../run", "--steps=3000", cwd=elsewhere)
    assert resumed.returncode == 0, resumed.stderr
    assert "step 750" not in resumed.stdout, f"began anew, {time.perf_counter() - began:.0f} s"
    curve = json.loads((tmp_path / "run" / "result.json").read_text())["curve"]
    assert [point["step"] for point in curve] == [750, 1500, 2250, 3000]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sceen", "x"], "did you mean --scene?"),
        (["--set", "field.widht=3"], "did you mean field.width?"),
        (["--set", "sampling.near=7", "--set", "sampling.far=6"], "near < far"),
        (["--scene", "/dev/null"], "no scene"),
        (["--scene", "nowhere"], "--scene bricks"),
        (["--steps", "many"], "--steps"),
        (["--steps", "5", "--set", "optimisation.steps=6"], "twice"),
        (["--resume"], "give --out"),
        (["--resume", "--out", "none"], "none holds no run"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = run("train.py", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["nowhere"], [".", "--frames", "1"], [".", "--radius=-3"]])
def test_a_mistake_about_a_video_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    done = run("video.py", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
