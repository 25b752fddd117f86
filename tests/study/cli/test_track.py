"""--track: which trackers a study has, with --wandb and when it is resumed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study import run_sweep
from study.cli.options import parse_options
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec


@pytest.mark.parametrize(
    ("arguments", "track", "wandb"),
    [
        (["--track=tensorboard"], "tensorboard", "off"),
        (["--track=mlflow", "--track=tensorboard,mlflow"], "mlflow,tensorboard", "off"),
        (["--track=wandb,mlflow"], "mlflow", "offline"),
        (["--track=wandb", "--wandb=online"], "off", "online"),
        (["--track=tensorboard", "--wandb=online"], "tensorboard", "online"),
        (["--track=off"], "off", "off"),
        (["--wandb=offline"], None, "offline"),
        ([], None, None),
    ],
)
def test_track_names_all_trackers(
    arguments: list[str], track: str | None, wandb: str | None
) -> None:
    options = parse_options(arguments)
    assert (options.track, options.wandb) == (track, wandb)


def test_a_study_file_may_name_trackers(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text('track = "tensorboard"\nwandb = "offline"\n')
    options = parse_options(["--study", str(file)])
    assert (options.track, options.wandb) == ("tensorboard", "offline")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--track=off,mlflow"], "--track off excludes every other"),
        (["--track=wandb", "--wandb=off"], "--track wandb and --wandb off contradict each other"),
        (["--track=tensorbord"], "got 'tensorbord'; did you mean tensorboard?"),
        (["--track="], "got ''"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = f"--scene={tmp_path / 'none'}"  # so that nothing is run in any case
    assert run_sweep.main([*arguments, missing]) == 2
    line = capsys.readouterr().err
    assert message in line
    assert line.count("\n") == 1


def test_a_missing_package_is_one_line_and_creates_nothing(
    tmp_path: Path, scene_file: Path
) -> None:
    """In a process where that package cannot be found."""
    code = (
        "import importlib.util, sys; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'mlflow' else find(name, *a)\n"
        "from study.run_sweep import main; sys.exit(main(sys.argv[1:]))"
    )
    options = ["--scene", str(scene_file), "--track=mlflow"]
    command = [sys.executable, "-c", code, *options]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: --track mlflow needs the package mlflow, which is not installed; "
        "pip install -e '.[mlflow]'\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_study_json_is_as_before_without_trackers() -> None:
    spec = StudySpec(space=study_space(["sampling.near"], [], 90))
    assert "track" not in spec.to_json()
    assert spec.trackers == ()


def test_trackers_are_saved_with_the_study() -> None:
    space = study_space(["sampling.near"], [], 90)
    spec = StudySpec(space=space, track="tensorboard,mlflow")
    again = StudySpec.from_json({"spec": spec.to_json(), "space": space.to_json()})
    assert again.trackers == ("tensorboard", "mlflow")
    with pytest.raises(InputError, match="--track must be off, or"):
        StudySpec(space=space, track="nothing")
