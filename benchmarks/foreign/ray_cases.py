"""Folders of Ray Tune."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foreign.case import Truth, case
from foreign.sample import LR, Parameter, Sample, draw_sample

STEPS = 5


@case("--metric accuracy")
def ray_folder(folder: Path) -> tuple[Path, Truth]:
    """96 trials of five reports each."""
    sample = draw_sample(101)
    return _write(folder / "exp", sample), sample.truth()


@case("", "--metric accuracy")
def ray_folder_without_options(folder: Path) -> tuple[Path, Truth]:
    """The same with a loss beside the accuracy; no options."""
    sample = draw_sample(101)
    more = [{"loss": 1 - m} for m in sample.metric.tolist()]
    return _write(folder / "exp", sample, more=more), Truth(refusal="--metric")


@case("--metric accuracy")
def ray_failed_trials(folder: Path) -> tuple[Path, Truth]:
    """8 of 96 trials have an error.txt."""
    sample = draw_sample(102)
    path = _write(folder / "exp", sample)
    for trial in sorted(path.iterdir())[:8]:
        (trial / "error.txt").write_text("Failure # 1\nValueError: broken\n")
    best = float(sample.metric[8:].max())
    return path, sample.truth(best=best, completed=88)


@case("--metric accuracy")
def ray_torn_line(folder: Path) -> tuple[Path, Truth]:
    """The last line of one result.json is cut off."""
    sample = draw_sample(103)
    path = _write(folder / "exp", sample)
    with (path / "trial_00000" / "result.json").open("a") as file:
        file.write('{"accuracy": 0.9, "training_iter')
    return path, sample.truth(warning="torn")


@case("--metric eval/accuracy")
def ray_nested_metric(folder: Path) -> tuple[Path, Truth]:
    """Reports {"eval": {"accuracy": ...}} and a nested config."""
    sample = draw_sample(104)
    path = _write(folder / "exp", sample, metric="")
    for trial, value in zip(sorted(path.iterdir()), sample.metric.tolist(), strict=True):
        config = json.loads((trial / "params.json").read_text())
        _dump(trial / "params.json", {"optim": config})
        reports = [_report(i, {"eval": {"accuracy": value}}) for i in range(1, STEPS + 1)]
        (trial / "result.json").write_text("\n".join(map(json.dumps, reports)) + "\n")
    shares = {f"optim/{name}": share for name, share in sample.shares.items()}
    return path, sample.truth(shares=shares)


@case("--metric accuracy")
def ray_none_and_lists(folder: Path) -> tuple[Path, Truth]:
    """Layers as a list, a scheduler of null or "cosine"."""
    parameters = (
        LR,
        Parameter("layers", 0.2, choices=("[64]", "[64, 32]")),
        Parameter("schedule", 0.18, choices=("None", "cosine")),
    )
    sample = draw_sample(105, parameters=parameters)
    path = _write(folder / "exp", sample)
    for trial in path.iterdir():
        config = json.loads((trial / "params.json").read_text())
        config["layers"] = json.loads(config["layers"])
        config["schedule"] = None if config["schedule"] == "None" else "cosine"
        _dump(trial / "params.json", config)
    return path, sample.truth()


@case("--metric loss --direction minimize", "--metric loss --lower-is-better")
def ray_stopped_early(folder: Path) -> tuple[Path, Truth]:
    """ASHA stopped the worse half after two of five reports."""
    sample = draw_sample(106, trials=160, centre=0.5, scale=-0.05)
    threshold = sorted(sample.metric)[80]
    path = _write(folder / "exp", sample, metric="loss")
    for trial, value in zip(sorted(path.iterdir()), sample.metric, strict=True):
        if value >= threshold:
            file = trial / "result.json"
            lines = file.read_text().splitlines()[:2]
            done = {**json.loads(lines[1]), "done": True}
            file.write_text(f"{lines[0]}\n{json.dumps(done)}\n")
    return path, sample.truth(
        minimize=True, completed=80, ranking_needed=False, warning="pruned|stopped"
    )


@case("--metric accuracy")
def ray_two_experiments(folder: Path) -> tuple[Path, Truth]:
    """A folder of two experiments; which one?"""
    _write(folder / "results" / "first", draw_sample(107, trials=20))
    _write(folder / "results" / "second", draw_sample(108, trials=20))
    return folder / "results", Truth(refusal="--study-name.*first")


@case("--metric accuracy --study-name second", "--metric accuracy")
def ray_one_of_two_experiments(folder: Path) -> tuple[Path, Truth]:
    """The same with --study-name."""
    sample = draw_sample(109)
    _write(folder / "results" / "first", draw_sample(107, trials=20, scale=-0.5))
    _write(folder / "results" / "second", sample)
    return folder / "results", sample.truth()


@case("--metric accuracy")
def ray_progress_tables(folder: Path) -> tuple[Path, Truth]:
    """Only progress.csv and params.json were kept."""
    sample = draw_sample(110)
    path = _write(folder / "exp", sample)
    for trial in path.iterdir():
        reports = [json.loads(line) for line in (trial / "result.json").read_text().splitlines()]
        rows = [",".join(reports[0])] + [",".join(map(str, r.values())) for r in reports]
        (trial / "progress.csv").write_text("\n".join(rows) + "\n")
        (trial / "result.json").unlink()
    return path, sample.truth()


def _write(
    path: Path,
    sample: Sample,
    metric: str = "accuracy",
    more: Sequence[Mapping[str, float]] = (),
) -> Path:
    """A folder for each trial, whose metric rises or falls to its value in `STEPS` reports."""
    for index, (row, value) in enumerate(zip(sample.rows(), sample.metric.tolist(), strict=True)):
        trial = path / f"trial_{index:05d}"
        trial.mkdir(parents=True)
        _dump(trial / "params.json", row)
        beside = more[index] if more else {}
        reports = [
            _report(step, {metric: value * step / STEPS, **beside}) for step in range(1, STEPS + 1)
        ]
        text = "\n".join(json.dumps({**r, "trial_id": f"{index:05d}"}) for r in reports)
        (trial / "result.json").write_text(f"{text}\n")
    return path


def _report(step: int, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **values,
        "training_iteration": step,
        "time_total_s": 2.0 * step,
        "timestamp": 1700000000 + 2 * step,
        "done": step == STEPS,
    }


def _dump(file: Path, value: object) -> None:
    file.write_text(json.dumps(value))
