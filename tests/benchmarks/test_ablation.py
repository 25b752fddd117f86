"""The benchmark of the paper's ablation: its rows, and real runs that are killed and resumed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from analysis.published.ablation import PAPER, analyze_ablation, format_ablation, read_runs
from nerf.config.flat import build
from nerf.scenes import load
from nerf.scenes.scene import Scene
from nerf.training.loop import train

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = [
    "--set=field.width=8",
    "--set=field.depth=1",
    "--set=sampling.coarse=4",
    "--set=sampling.fine=4",
    "--set=optimisation.rays=32",
    "--set=evaluation.pixels=256",
    "--set=evaluation.final_pixels=256",
    "--set=evaluation.times=10",
    "--set=compute.occupancy=0",
    "--set=sampling.near=3",
    "--set=sampling.far=5",
]
PATIENCE = 300


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import ablation as benchmark  # type: ignore[import-not-found]

    made: Callable[[Mapping[str, Any]], dict[str, Any]] = benchmark.rows
    return made


def test_the_rows_are_the_paper_s_and_ask_their_networks_equally_often(
    rows: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> None:
    complete = {
        "sampling.coarse": 64,
        "sampling.fine": 128,
        "encoding.include_input": False,
        "encoding.position_frequencies": 10,
    }
    configs = {row: build({**complete, **changed}) for row, changed in rows(complete).items()}
    assert list(configs) == list(PAPER)
    for config in configs.values():
        sampling = config.sampling
        assert sampling.coarse + (sampling.fine > 0) * (sampling.coarse + sampling.fine) == 256
    views = {row: config.optimisation.views for row, config in configs.items()}
    assert {row: count for row, count in views.items() if count} == {
        "50 images": 50,
        "25 images": 25,
    }
    blind = [row for row, config in configs.items() if not config.encoding.directions]
    assert blind == ["no view dependence", "none of the three"]
    bare = [row for row, config in configs.items() if config.encoding.kind == "none"]
    assert bare == ["no positional encoding", "none of the three"]


@pytest.fixture(scope="module")
def many_views(ball: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ball's views six times over: enough to leave some out."""
    file = tmp_path_factory.mktemp("many views") / "ball.npz"
    images, poses = (
        np.tile(a, (6, *[1] * (a.ndim - 1))) for a in (ball.images, ball.world_from_camera)
    )
    np.savez(file, images=images, poses=poses, focal=ball.focal[0, 0])
    return file


def command(scene: Path, out: Path, *more: str) -> list[str]:
    asked = ["--scene", str(scene), "--out", str(out), "--seeds=1", "--steps=600"]
    return [sys.executable, str(BENCHMARKS / "ablation.py"), *asked, *TINY, *more]


def until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.slow
def test_killed_and_interrupted_it_comes_out_as_if_never_stopped(
    many_views: Path, tmp_path: Path
) -> None:
    out = tmp_path / "an ablation"

    def launch() -> subprocess.Popen[str]:
        return subprocess.Popen(
            command(many_views, out), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    killed = launch()
    until(lambda: any(out.glob("*/checkpoint.pt")), killed)
    family = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.communicate()
    assert psutil.wait_procs(family, timeout=PATIENCE)[1] == []

    stopped = launch()
    until(lambda: any(out.glob("*/result.json")), stopped)
    stopped.send_signal(signal.SIGINT)
    said, _ = stopped.communicate(timeout=PATIENCE)
    assert stopped.returncode == 130, said
    assert "Traceback" not in said
    kept = {path: path.stat().st_mtime for path in out.glob("*/result.json")}
    assert 1 <= len(kept) < len(PAPER)

    finishing = launch()
    said, _ = finishing.communicate(timeout=4 * PATIENCE)
    assert finishing.returncode == 0, said
    assert "9/9 " in said
    assert {path: path.stat().st_mtime for path in kept} == kept

    table = pd.read_parquet(out / "runs.parquet")
    assert list(table["row"]) == list(PAPER)
    assert set(table["scene"]) == {"ball.npz"}
    first = json.loads((out / "0-complete" / "result.json").read_text())
    unbroken = train(build(first["config"]), load(str(many_views)))
    assert (first["psnr"], first["test_psnr"]) == (unbroken.psnr, unbroken.test_psnr)
    assert "are open" in format_ablation(analyze_ablation(read_runs(out)))

    other = command(many_views, out, "--set=optimisation.decay=0.5")
    done = subprocess.run(other, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert "other settings" in done.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [(["--set=sampling.far=9"], "repeat beyond pi"), (["--seeds=0"], "--seeds must be at least 1")],
)
def test_mistakes_are_one_line(
    many_views: Path, tmp_path: Path, more: list[str], words: str
) -> None:
    asked = [part for part in command(many_views, tmp_path / "out") if "far" not in part]
    done = subprocess.run([*asked, *more], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
