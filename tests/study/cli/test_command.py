"""The command line: every mistake is one line and exit status 2, and creates nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from nerf.config.parameters import list_parameters
from study import run_sweep
from study.records.study_folder import StudyFolder
from study.spec.space import SCENE_SCALED
from tests.study.sweeps import end_of, start


def error_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Runs the command, which must fail, and returns the one line that it prints."""
    assert run_sweep.main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--explor", "3"], "unknown option --explor; did you mean --explore?"),
        (["--exp=3"], "unknown option --exp"),
        (["--explore", "many"], "--explore must be a whole number such as 10, got 'many'"),
        (["--explore", "-1"], "--explore must be 0 or more, got -1"),
        (["--collapse", "psn<12@100"], "psnr, seconds, ssim; did you mean psnr?"),
        (
            ["--collapse=psnr<9", "--pack=4"],
            "--pack trains several trials as one, which",
        ),
        (["--vary", "sampling.naer"], "'sampling.naer'; did you mean sampling.near?"),
        (["--vary", "sampling.near=3:1"], "low < high must hold, got sampling.near=3:1"),
        (["--vary", "field.width=1:512"], "field.width must be at least 2 units, got 1"),
        (["--design", "grip"], "--design"),
        (["--design", "grid"], "--design grid takes listed values, but sampling.near takes any"),
        (["--set", "field.width"], "must be PATH=VALUE"),
        (["--set", "field.width=wide"], "field.width must be a whole number, got 'wide'"),
        (["--set", "seed=1"], "use --seed"),
        (["--scene", "no/such/scene.npz"], "no/such/scene.npz"),
        (["--name", "../elsewhere"], "--name must be a plain folder name"),
        (["--resume"], "has trials left to run; add trials to one by --name NAME --extend N"),
        (["--extend", "3"], "there is no study in"),
        (["--resume", "--name", "none"], "there is no study none in"),
        (["--cpus-per-trial", "100000"], "--cpus-per-trial 100000 is more than the"),
        (["--gpus-per-trial", "some"], "--gpus-per-trial must be a number or auto, got 'some'"),
        (["--pack", "0"], "--pack must be 1 or more, or auto, got '0'"),
        (
            ["--pack", "4", "--gpus-per-trial", "0.5"],
            "on each whole GPU, and --gpus-per-trial is 0.5",
        ),
        (["--pack", "4", "--address", "auto"], "needs GPUs on a cluster; add --gpus-per-trial 1"),
        (["--gpus-per-trial", "auto", "--address", "auto"], "auto looks at this machine alone"),
        (["--wandb", "sometimes"], "--wandb"),
        (["--wait-for-nodes", "60"], "--wait-for-nodes is for a cluster"),
        (["--wait-for-nodes=-1", "--address=auto"], "--wait-for-nodes must be 0 or more"),
    ],
)
def test_a_mistake_is_one_line_and_creates_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    scene_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    scene = [] if "--scene" in arguments else ["--scene", str(scene_file)]
    line = error_line([*scene, *arguments], capsys)
    assert line.startswith("error: ")
    assert message in line
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_a_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "shopping list.txt"
    text.write_text("eggs")
    line = error_line(["--studies", str(tmp_path / "studies"), "--scene", str(text)], capsys)
    assert "shopping list.txt" in line
    assert "is not a scene" in line
    assert not (tmp_path / "studies").exists()


def test_an_existing_name_is_refused_with_both_remedies(
    tmp_path: Path, scene_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "study.json").touch()
    line = error_line(
        ["--studies", str(tmp_path), "--name", "mine", "--scene", str(scene_file)], capsys
    )
    assert "--resume" in line
    assert "another --name" in line


def test_it_runs_from_any_folder_and_fails_before_it_imports_ray_or_torch(tmp_path: Path) -> None:
    """Their imports alone take seconds, too long to learn of a misspelt option."""
    process = start("--misspelt", cwd=tmp_path)
    status, output = end_of(process)
    assert (status, output.count("\n")) == (2, 1)
    code = "import sys, study.run_sweep; print({'ray', 'torch', 'optuna'} & set(sys.modules))"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert imported.stdout == "set()\n"


def test_help_lists_every_parameter_with_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_sweep.main(["--help"])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    assert "sampling.coarse = 40 " in output, "a study's own default"
    assert "* encoding.position_frequencies = 8" in output
    assert "Varied by default: 0:12 octaves" in output
    assert "field.width=64" in output, "what the default space fixes"
    for path, parameter in list_parameters().items():
        if path != "seed":
            assert f"{path} = " in output
        if path not in ("seed", *SCENE_SCALED):
            for value in parameter.choices or ([parameter.domain] if parameter.domain else []):
                assert str(value).lower() in output.lower()


def test_the_scene_s_options_reach_the_scene(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake = ["--studies", str(tmp_path / "studies"), "--scene", "bricks", "--downscale", "2"]
    assert run_sweep.main(mistake) == 2
    assert "--downscale applies to folders" in capsys.readouterr().err
    assert not (tmp_path / "studies").exists()


def test_a_background_that_the_scene_cannot_have_is_refused_at_once(
    scene_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--studies", str(tmp_path / "studies"), "--scene", str(scene_file)]
    assert run_sweep.main([*arguments, "--vary", "optimisation.background=scene,random"]) == 2
    assert "no alpha channel" in capsys.readouterr().err
    assert not (tmp_path / "studies").exists()


def test_a_study_is_created_once(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "one")
    folder.create({"schema": 1})
    with pytest.raises(InputError, match="--resume"):
        folder.create({"schema": 2})
    assert folder.read_spec() == {"schema": 1}
    assert [file.name for file in folder.path.iterdir()] == ["study.json"]
