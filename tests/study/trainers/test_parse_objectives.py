"""Metrics as options name them, and as studies and study files keep them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nerf.common.errors import InputError
from study import run_sweep
from study.cli.options import parse_options
from study.spec.existing_study import require_same_study
from study.spec.study_file_writer import write_study_file
from study.spec.study_spec import StudySpec
from study.trainers.objective import PSNR, Objective
from study.trainers.parse_objectives import parse_objectives

SSIM = Objective("ssim")
SECONDS = Objective("seconds", "s", minimize=True)
MEMORY = Objective("memory", "MiB", minimize=True)
LOSS = Objective("loss", "nats", minimize=True)


@pytest.mark.parametrize(
    ("texts", "direction", "unit", "is_nerf", "objectives"),
    [
        ((), None, None, True, (PSNR,)),
        (("ssim",), "max", None, True, (SSIM,)),
        (("psnr", "seconds:min", "memory"), None, None, True, (PSNR, SECONDS, MEMORY)),
        (("loss",), "min", "nats", False, (LOSS,)),
        (("loss:min:nats", "seconds"), None, None, False, (LOSS, SECONDS)),
    ],
)
def test_directions_of_built_in_metrics_are_known(
    texts: tuple[str, ...],
    direction: str | None,
    unit: str | None,
    is_nerf: bool,
    objectives: tuple[Objective, ...],
) -> None:
    assert parse_objectives(texts, direction, unit, "" if is_nerf else "--trainable") == objectives


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metric=psnr", "--metric=psnr"], "--metric psnr is there twice; remove one"),
        (["--metric=psnrr"], "of your own (--trainable); did you mean psnr?\n"),
        (["--metric=lpips"], "whose weights this program neither has nor downloads"),
        (["--metric=seconds:max"], "of seconds, less is better; write --metric seconds"),
        (["--metric=ssim", "--direction=min"], "of ssim, more is better"),
        (["--metric=psnr:%"], "--metric must be NAME, NAME:max, NAME:min"),
        (["--metric=psnr:max:%"], "--metric psnr is in dB, not in %"),
        (["--metric=psnr:max", "--direction=min"], "contradicts --metric psnr:max"),
        (["--metric=psnr", "--metric=ssim", "--direction=max"], "there are 2; write it behind"),
        (
            ["--metric=memory", "--pack=4", "--gpus-per-trial=1"],
            "--pack 4 trains several trials in one",
        ),
    ],
)
def test_a_mistake_is_one_line_and_creates_nothing(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_sweep.main([*options, f"--studies={tmp_path / 'studies'}"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "studies").exists()


def test_another_trainer_s_metric_needs_a_direction() -> None:
    with pytest.raises(InputError, match="--metric loss needs a direction"):
        parse_objectives(("loss", "seconds"), None, None, "--trainable")


def test_they_survive_study_json_and_a_study_file(spec: StudySpec, tmp_path: Path) -> None:
    several = dataclasses.replace(spec, objectives=(SSIM, SECONDS))
    document = {"spec": several.to_json(), "space": several.space.to_json()}
    assert StudySpec.from_json(document).objectives == (SSIM, SECONDS)
    write_study_file(tmp_path / "study.toml", several, {})
    options = parse_options([f"--study={tmp_path / 'study.toml'}"])
    assert parse_objectives(options.metric, None, None, "") == (SSIM, SECONDS)
    assert "objectives" not in spec.to_json(), "older versions read a study of PSNR"


def test_a_study_recorded_with_one_objective_is_read(spec: StudySpec) -> None:
    earlier = {**spec.to_json(), "trainable": "mine.py:train", "objective": LOSS.to_json()}
    read = StudySpec.from_json({"spec": earlier, "space": spec.space.to_json()})
    assert read.objectives == (LOSS,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metric": ("psnr",)}, "--metric psnr differs from the study's ssim"),
        ({"metric": ("ssim",)}, "--metric ssim differs from the study's ssim, seconds"),
        ({"metric": ("ssim", "seconds:max")}, "--direction max differs from the study's min"),
        ({"direction": "max"}, "for a single metric"),
    ],
)
def test_a_resumed_study_keeps_its_metrics(
    spec: StudySpec, given: dict[str, object], message: str
) -> None:
    saved = dataclasses.replace(spec, objectives=(SSIM, SECONDS))
    with pytest.raises(InputError, match=message):
        require_same_study(given, saved)
    require_same_study({"metric": ("ssim", "seconds:min")}, saved)
    require_same_study({"metric": ("psnr",), "direction": "max", "unit": "dB"}, spec)


def test_metrics_of_the_command_line_replace_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('metric = "loss"\ndirection = "min"\nunit = "nats"\n')
    options = parse_options([f"--study={tmp_path / 's.toml'}", "--metric=seconds"])
    assert (options.metric, options.direction, options.unit) == (("seconds",), None, None)
