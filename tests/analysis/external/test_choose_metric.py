"""The metric, its direction and unit: recorded, requested, or assumed in the open."""

from __future__ import annotations

import pytest

from analysis.data.metric import Metric
from analysis.external.choose_metric import choose_metric, is_open_direction
from analysis.external.question import Question
from analysis.external.sweep import Column, ExternalTrial, Objective, Sweep
from nerf.common.errors import InputError


def sweep(*objectives: Objective, **metrics: float) -> Sweep:
    trials = tuple(ExternalTrial(str(i), "completed", {"lr": i}, metrics) for i in range(3))
    return Sweep("CSV", "runs", trials, objectives)


def test_a_recorded_direction_is_used_and_nothing_is_assumed() -> None:
    metric, assumed = choose_metric(sweep(Objective("value", "minimize"), value=1.0), Question())
    assert metric == Metric("value", "", minimize=True)
    assert not assumed


def test_the_option_wins_over_the_record() -> None:
    question = Question(direction="maximize", unit="%")
    metric, assumed = choose_metric(sweep(Objective("value", "minimize"), value=61.0), question)
    assert metric == Metric("value", "%", minimize=False)
    assert not assumed


@pytest.mark.parametrize(
    ("name", "minimize", "unit"),
    [
        ("val_loss", True, ""),
        ("eval/accuracy", False, ""),
        ("valLoss", True, ""),
        ("test PSNR", False, "dB"),
        ("best_val_acc", False, ""),
        ("RMSE", True, ""),
        ("y", False, ""),
    ],
)
def test_a_direction_is_assumed_by_name_and_the_option_named(
    name: str, minimize: bool, unit: str
) -> None:
    metric, assumed = choose_metric(sweep(**{name: 1.0}), Question())
    assert metric == Metric(name, unit, minimize)
    other = "maximize" if minimize else "minimize"
    assert [a.option for a in assumed] == ["", f"--direction {other}"]


def test_several_metrics_or_objectives_are_listed_and_none_is_chosen() -> None:
    with pytest.raises(InputError, match=r"choose one by --metric: acc, loss"):
        choose_metric(sweep(acc=1.0, loss=2.0), Question())
    objectives = (Objective("a", "maximize"), Objective("b", "minimize"))
    with pytest.raises(InputError, match=r"one by --metric: a \(maximize\), b"):
        choose_metric(sweep(*objectives, a=1.0, b=2.0), Question())
    metric, _ = choose_metric(sweep(*objectives, a=1.0, b=2.0), Question(metric="b"))
    assert metric == Metric("b", "", minimize=True)


def test_a_misspelt_metric_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no metric 'val_los'; did you mean val_loss\?"):
        choose_metric(sweep(val_loss=1.0, acc=2.0), Question(metric="val_los"))


def test_a_sweep_without_metrics_is_refused() -> None:
    with pytest.raises(InputError, match="no metric of any trial"):
        choose_metric(sweep(loss=float("nan")), Question())


def test_any_column_of_a_table_can_be_named_as_the_metric() -> None:
    table = Sweep("CSV", "runs", sweep().trials, columns=(Column("lr", "setting", ""),))
    assert choose_metric(table, Question(metric="lr"))[0].name == "lr"
    with pytest.raises(InputError, match="name its column by --metric: lr"):
        choose_metric(table, Question())
    with pytest.raises(InputError, match="it has lr"):
        choose_metric(table, Question(metric="zzz"))


def test_constant_metrics_are_no_candidates_beside_one_that_varies() -> None:
    trials = tuple(
        ExternalTrial(str(i), "completed", {}, {"epoch": 20.0, "loss": i / 10}) for i in range(4)
    )
    metric, assumed = choose_metric(Sweep("CSV", "runs", trials), Question(unit="%"))
    assert metric.name == "loss"
    assert "look like fractions of 1" in assumed[-1].text


def test_the_only_column_that_could_be_a_metric_is_one_by_assumption() -> None:
    doubtful = Column("zorp", "setting", "", doubtful=True)
    table = Sweep("CSV", "runs", sweep(zorp=1.0).trials, columns=(doubtful,))
    metric, (about_metric, about_direction) = choose_metric(table, Question())
    assert metric.name == "zorp"
    assert "the only column that could be one" in about_metric.text
    assert is_open_direction(about_direction)


def test_an_export_of_optuna_is_minimized_unless_told_otherwise() -> None:
    table = Sweep("Optuna", "runs", sweep(value=1.0).trials)
    metric, assumed = choose_metric(table, Question())
    assert metric.minimize
    assert is_open_direction(assumed[-1])
