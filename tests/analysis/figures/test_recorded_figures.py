"""Figures of other tools' sweeps: values, ends of bands and colours in the metric's direction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.data.metric import Metric
from analysis.data.selection import select_measured
from analysis.figures.learning_curves import plot_learning_curves
from analysis.figures.parallel_coordinates import (
    BEST_COLOUR,
    OTHERS_COLOUR,
    plot_parallel_coordinates,
)
from analysis.figures.parallel_lines import plot_parallel_lines
from analysis.figures.parameter_effect import plot_parameter_effect, plot_parameter_pair
from analysis.figures.pareto_front import plot_pareto_front
from analysis.figures.study_figures import list_study_figures
from analysis.findings.analyze_study import Findings
from analysis.findings.pareto_front import select_pareto_front
from analysis.findings.partial_dependence import PairEffect
from tests.analysis.foreign_studies import ACCURACY, VAL_LOSS, make_foreign_study


def test_effects_show_the_loss_with_its_band_about_the_mean(minimised_findings: Findings) -> None:
    for effect in minimised_findings.effects:
        figure = plot_parameter_effect(effect, VAL_LOSS)
        assert figure.layout.yaxis.title.text == "val_loss"
        assert all(np.nanmin(np.array(trace.y, dtype=float)) > 0 for trace in figure.data)
        for trace in figure.data:
            if trace.error_y.array is not None:
                assert min(*trace.error_y.array, *trace.error_y.arrayminus) >= 0


def test_each_outcome_has_the_word_of_the_record(minimised_findings: Findings) -> None:
    figure = plot_parameter_effect(minimised_findings.effects[0], VAL_LOSS)
    assert {trace.name for trace in figure.data if trace.name} == {"completed", "pruned"}


def test_files_have_no_figure_of_curves_that_were_not_recorded(
    minimised_findings: Findings, maximised_findings: Findings
) -> None:
    assert "curves" in list_study_figures(minimised_findings)
    figures = list_study_figures(maximised_findings)
    assert "curves" not in figures
    assert {"importance", "variance_parts", "effect_lr"} <= set(figures)


def test_captions_name_the_markers_and_means_that_are_drawn(minimised_findings: Findings) -> None:
    figures = list_study_figures(minimised_findings)
    lines, dashes = (figures[f"effect_{name}"].caption for name in ("lr", "optimizer"))
    assert lines.startswith("val_loss of each trial against lr: ● completed, ▼ pruned. Line: ")
    assert "optimizer: ● completed, ▼ pruned. Dash: " in dashes
    assert "band" not in dashes


def test_coloured_lines_are_the_best_quarter_and_lie_above_the_others(
    minimised_findings: Findings,
) -> None:
    study = minimised_findings.study
    trials = select_measured(study.trials)
    figure = plot_parallel_coordinates(trials, study.space.dimensions, VAL_LOSS)
    lines, last = figure.data[0].line, figure.data[0].dimensions[-1]
    assert last.label == "val_loss"
    coloured = np.asarray(lines.color) == 1.0
    assert coloured.sum() == round(len(trials) / 4)
    losses = np.asarray(last["values"])
    assert losses[coloured].max() <= losses[~coloured].min()
    drawn = plot_parallel_lines(trials, study.space.dimensions, VAL_LOSS)
    colours = [trace.line.color for trace in drawn.data]
    assert colours == [OTHERS_COLOUR] * (~coloured).sum() + [BEST_COLOUR] * coloured.sum()


@pytest.mark.parametrize("metric", [VAL_LOSS, ACCURACY])
def test_the_brightest_cell_of_a_pair_is_the_best(metric: Metric) -> None:
    scores = np.array([[-3.0, -2.0], [-1.0, -0.5]])
    plane = PairEffect(("a", "b"), ("a", "b"), (1.0, 2.0), (1.0, 2.0), scores)
    heat = plot_parameter_pair(plane, metric).data[0]
    assert np.array_equal(heat.z, metric.values(scores))
    dark, bright = heat.colorscale[0][1], heat.colorscale[-1][1]
    assert (bright if metric.minimize else dark) == "#440154"


def test_the_front_falls_with_time_for_a_loss(tmp_path: Path) -> None:
    study = make_foreign_study(tmp_path, seconds=True)
    front = select_pareto_front(study.trials)
    line = plot_pareto_front(select_measured(study.trials), front, VAL_LOSS).data[-1]
    assert list(line.x) == sorted(line.x)
    assert list(line.y) == sorted(line.y, reverse=True)
    assert min(line.y) > 0


def test_curves_of_very_many_trials_share_traces_and_keep_their_points(tmp_path: Path) -> None:
    study = make_foreign_study(tmp_path, trials=1200)
    outcomes = dict(zip(study.trials["trial_id"], study.trials["outcome"], strict=True))
    figure = plot_learning_curves(study.curves, outcomes, {"00005": "best"}, {}, VAL_LOSS)
    assert [trace.name for trace in figure.data] == ["completed", "pruned", "best"]
    assert sum(np.isfinite(trace.y).sum() for trace in figure.data) == len(study.curves)
    joined = figure.data[0]
    of_trial = np.array(joined.customdata) == "00007"
    expected = study.curves.loc[study.curves["trial_id"] == "00007", "score"]
    assert np.array_equal(np.array(joined.y)[of_trial], -expected)
    # A gap before each trial, so that no line joins two.
    starts = np.flatnonzero(np.array(joined.x) == 1.0)
    assert np.isnan(np.array(joined.y)[starts - 1]).all()
