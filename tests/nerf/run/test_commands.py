"""`nerf/train.py` and `nerf/video.py`: what they leave behind, print and refuse."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from nerf import export, train, video
from nerf.config.schema import NerfConfig
from nerf.run.run_folder import CHECKPOINT, RUN_FILES, Run, SceneSource
from tests.nerf.run.scripts import command_line, run_script

pytestmark = pytest.mark.usefixtures("unchecked_shapes")

QUICK = [
    "--set=field.depth=2",
    "--set=field.width=16",
    "--set=sampling.coarse=12",
    "--set=optimisation.rays=64",
    "--set=evaluation.times=4",
]
STEPS = 480
"""Of a run that is interrupted after a quarter: long enough for the signal to reach it in time."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_trains_inspects_and_renders_videos(
    scene_file: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = f"--scene={scene_file}"
    trained = run_script("train.py", scene, "--steps", 24, *QUICK, cwd=folder)
    assert trained.returncode == 0, trained.stderr
    out = folder / "runs" / "ball"
    result = json.loads((out / "result.json").read_text())
    assert result["steps"] == 24
    assert result["config"]["field.width"] == 16
    assert {"psnr", "ssim", "seconds", "views"} <= set(result)
    assert iio.imread(out / "render.png").shape == (24, 48, 3)
    for split in ("val", "test"):
        measured = result["held_out"][split]
        assert [view["view"] for view in measured] == result["views"][split]
    assert np.mean([view["ssim"] for view in result["held_out"]["val"]]) == pytest.approx(
        result["ssim"]
    )
    assert all("ssim" not in point for point in result["curve"])
    # Four evaluations and the photograph, each five times as large, below two lines of text.
    assert iio.imread(out / "progress.png").shape == (6 + 36 + 2 * 120 + 6, 6 + 5 * 126, 3)
    assert set(RUN_FILES) == {path.name + "/" * path.is_dir() for path in out.iterdir()}
    assert all(name in trained.stdout for name in RUN_FILES)
    assert "s elapsed, 0 s left" in trained.stdout
    assert f"nerf/view.py {shlex.quote(str(Path('runs/ball')))}" in trained.stdout

    assert video.main([str(out), "--frames=4", "--height=32"]) == 0
    frames = iio.imread(out / "video.mp4")
    assert frames.shape == (4, 32, 64, 3)
    assert frames.std() > 1
    assert video.main([str(out), "--frames=3", "--format=gif", "--path=cameras"]) == 0
    assert iio.imread(out / "video.gif", index=0).shape == (24, 48, 3)

    assert export.main([str(out), "--resolution=20", "--points=1000"]) == 0
    assert (out / "points.ply").read_bytes().startswith(b"ply\n")
    assert "mesh.ply" in capsys.readouterr().out

    nowhere = ["--scene=no-such-scene", f"--out={out}"]
    assert train.main(nowhere) == 2, "the folder contains a run, which is seen before the scene"
    assert "--resume --out" in capsys.readouterr().err
    assert train.main([scene, *QUICK]) == 2, "the folder contains a run"
    assert "--resume --out runs/ball" in capsys.readouterr().err

    assert train.main([scene, "--inspect"]) == 0
    assert (out / "inspect.png").exists()


def test_ctrl_c_saves_the_run_and_resume_completes_it(
    scene_file: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--scene", scene_file, "--steps", STEPS, "--out", folder / "run", *QUICK]
    process = subprocess.Popen(
        command_line("train.py", *arguments), cwd=folder, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"step {STEPS // 4}:"):
            break
    process.send_signal(signal.SIGINT)
    output = process.stdout.read()
    assert process.wait(timeout=30) == 130
    resume_command = shlex.split(output.splitlines()[-1])
    assert resume_command[-3:] == ["--resume", "--out", str(folder / "run")]
    assert not (folder / "run" / "result.json").exists()

    assert train.main(["--resume", "--out=run", "--set=field.width=32"]) == 2
    contradiction = "run was started with field.width=16, not 32; omit that option"
    assert contradiction in capsys.readouterr().err

    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert train.main(["--resume", "--out=../run", f"--steps={STEPS}"]) == 0
    assert f"step {STEPS // 4}:" not in capsys.readouterr().out, "trained again from the start"
    curve = json.loads((folder / "run" / "result.json").read_text())["curve"]
    assert [point["step"] for point in curve] == [STEPS * k // 4 for k in (1, 2, 3, 4)]


def test_resuming_warns_of_a_scene_that_has_changed(
    scene_file: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changing = folder / "changing.npz"
    shutil.copy(scene_file, changing)
    source = SceneSource(str(changing))
    Run(folder / "run", source, source.load(), NerfConfig()).create()
    (folder / "run" / CHECKPOINT).touch()
    options = train.parse_options(["--resume", "--out=run"])
    train._existing_run(options)
    assert capsys.readouterr().err == ""

    with np.load(changing) as arrays:
        darker = dict(arrays) | {"images": arrays["images"] // 2}
    np.savez(changing, **darker)
    train._existing_run(options)
    assert "is not what run was started with" in capsys.readouterr().err


def test_the_next_commands_of_a_run_with_a_plugin_name_it(scene_file: Path, folder: Path) -> None:
    plugin = folder / "mine.py"
    plugin.write_text(
        "from nerf.plugins import register_activation\n"
        "register_activation('twice')(lambda x: 2 * x)\n"
    )
    trained = run_script(
        "train.py", f"--scene={scene_file}", f"--plugin={plugin}", "--steps=4", *QUICK, cwd=folder
    )
    assert trained.returncode == 0, trained.stderr
    command = next(line for line in trained.stdout.splitlines() if "video.py" in line)
    words = shlex.split(command)[2:]
    assert words[-2:] == ["--plugin", str(plugin)]
    rendered = run_script("video.py", *words, "--frames=2", "--height=16", cwd=folder)
    assert rendered.returncode == 0, rendered.stderr


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
        (["--resume"], "add --out"),
        (["--resume", "--out", "none"], "none is not a run folder"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert train.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1
    assert not list(folder.iterdir())


@pytest.mark.parametrize("script", ["train.py", "video.py"])
def test_a_mistake_is_one_line_in_a_process_of_its_own_too(script: str, tmp_path: Path) -> None:
    done = run_script(script, "--nope", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["nowhere"], [".", "--frames", "1"], [".", "--radius=-3"]])
def test_a_mistake_about_a_video_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert video.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
