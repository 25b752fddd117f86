"""`analysis.load`: what it reads, what its results hold, and its documented examples."""

from __future__ import annotations

import doctest
import os
import pydoc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import analysis
from analysis.api import study_analysis
from analysis.api.open_study import OpenedStudy
from analysis.api.study_analysis import StudyAnalysis
from analysis.findings.analyze_study import Findings
from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder

RATE = "optimisation.learning_rate"


def analysed(findings: Findings) -> StudyAnalysis:
    """A loaded study whose findings another test has computed already."""
    study = StudyAnalysis(OpenedStudy(findings.study))
    vars(study)["findings"] = findings
    return study


@pytest.fixture(scope="module")
def native(make_study: Callable[..., StudyFolder]) -> StudyAnalysis:
    """A study of three parameters, enough to rank them."""
    vary = ("sampling.near", "sampling.span", RATE)
    return analysis.load(make_study("native", explore=64, optimize=4, vary=vary).path)


@pytest.fixture(scope="module")
def recorded(minimised_findings: Findings) -> StudyAnalysis:
    return analysed(minimised_findings)


def write_wandb_table(path: Path, finished: int = 24) -> Path:
    """A table of runs as W&B exports it, the last two of them not ended."""
    rng = np.random.default_rng(0)
    runs = finished + 2
    rate = 10 ** rng.uniform(-5, -1, runs)
    loss = (np.log10(rate) + 3) ** 2 + rng.normal(0, 0.1, runs)
    table = pd.DataFrame(
        {
            "Name": [f"run-{number}" for number in range(runs)],
            "State": ["finished"] * finished + ["running"] * 2,
            "lr": rate,
            "width": rng.choice([16, 32, 64], runs),
            "val_loss": np.where(np.arange(runs) < finished, loss, np.nan),
        }
    )
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("module", [analysis, study_analysis])
def test_documented_examples_are_true(module: object) -> None:
    finder = doctest.DocTestFinder(exclude_empty=False)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    examples = [test for test in finder.find(module) if test.examples]
    assert examples
    for example in examples:
        runner.run(example)
    assert runner.summarize().failed == 0


def test_help_begins_with_loading_a_study() -> None:
    text = pydoc.plain(pydoc.render_doc(analysis))
    assert text.index("analysis.load(") < text.index("Rooms")
    assert {"load", "compare"} <= set(analysis.__all__)


def test_results_of_a_study(native: StudyAnalysis) -> None:
    importance, collapse, effects = native.importance(), native.collapse(), native.effects()
    assert importance.table.loc[RATE, "significant"]
    assert set(importance.table.index) == {d.path for d in native.study.space.dimensions}
    assert importance.sentences[0] in importance._repr_html_()
    worst = collapse.table.sort_values("rate").iloc[-1]
    assert worst["parameter"] == "sampling.near"
    assert set(effects.table["parameter"]) == set(importance.table.index)
    assert effects.plottable[0] == (importance.table.index[0],)
    for result, parameters in (
        (importance, ()),
        (collapse, ()),
        (collapse, (RATE, "sampling.near")),
        (effects, (RATE,)),
        (native.bounds(), ()),
    ):
        figure = result.plot(*parameters)
        assert isinstance(figure, go.Figure)
        assert "var(--" not in figure.to_json()


def test_bounds_begin_with_where_the_object_lies() -> None:
    bounds = analysis.load(analysis.RESULTS / "near_far").bounds()
    assert bounds.sentences[0].startswith("The object lies between near 2.67 and far 5.51")


def test_claims_are_those_of_the_report(native: StudyAnalysis) -> None:
    claims = native.claims()
    shares = claims[claims["kind"] == "share"].set_index("parameters")
    table = native.importance().table
    for path, share in shares["estimate"].items():
        assert share == table.loc[path, "share"]
    assert set(native.importance().sentences) <= set(claims["text"])


def test_frames_of_a_study(native: StudyAnalysis) -> None:
    assert len(native.trials) == len(native.study.trials)
    assert "score" not in {*native.trials, *native.curves}
    best = native.best(3)
    assert best["psnr"].is_monotonic_decreasing
    assert best["psnr"].iloc[0] == native.trials["psnr"].max()


def test_a_report_goes_where_it_is_told(native: StudyAnalysis, tmp_path: Path) -> None:
    report = native.report(tmp_path / "page & more.html")
    assert "<html" in Path(os.fspath(report)).read_text()
    assert "page &amp; more.html" in report._repr_html_()
    assert not native.study.folder.report.exists()
    with pytest.raises(InputError, match="cannot be written"):
        native.report(tmp_path / "page & more.html" / "below-a-file.html")


def test_a_sweep_of_another_tool_keeps_its_names(recorded: StudyAnalysis) -> None:
    assert recorded.importance().table.index[0] == "lr"
    assert recorded.best(1)["val_loss"].iloc[0] == recorded.trials["val_loss"].min()
    assert list(recorded.curves.columns) == ["trial", "step", "val_loss"]
    assert "Assumed: lower val_loss is better" in repr(recorded)
    with pytest.raises(InputError, match="does not record which trials broke"):
        recorded.collapse()
    assert isinstance(recorded.effects().plot("lr"), go.Figure)


def test_a_table_of_wandb_is_loaded(tmp_path: Path) -> None:
    study = analysis.load(write_wandb_table(tmp_path / "runs.csv"), ignore=["width"])
    assert repr(study).startswith("runs.csv: 24 trials of W&B: 24 completed.")
    assert "2 trials not ended" in repr(study)
    assert "W&amp;B" in study._repr_html_()
    assert [dimension.label for dimension in study.study.space.dimensions] == ["lr"]


def test_a_study_that_runs_is_shown_so_far(make_study: Callable[..., StudyFolder]) -> None:
    folder = make_study("running", explore=3, optimize=0)
    spec = folder.read_spec()
    spec["spec"]["explore"] = 48
    folder.write_spec(spec)
    study = analysis.load(folder.path)
    assert repr(study).startswith("running: 3 of 48 trials so far on synthetic: ")
    assert not study.importance().table.get("significant", pd.Series(dtype=bool)).any()
    assert "Nothing to plot" in study.importance().plot().to_json()
    assert study.summary().sentences
    assert len(study.best()) == 3


def test_a_study_without_an_ended_trial(make_study: Callable[..., StudyFolder]) -> None:
    study = analysis.load(make_study("begun", explore=0, optimize=0).path)
    assert "none has ended yet" in repr(study)
    for result in (study.summary(), study.importance(), study.collapse(), study.effects()):
        assert result.plot() is not None
    assert study.trials.empty


def test_variants_are_compared_with_the_first() -> None:
    study = analysis.load(analysis.RESULTS / "ablation")
    variants = study.variants()
    assert variants.table["variant"].iloc[0] == "complete"
    assert "complete" in variants.sentences[-1]
    for ask in (study.importance, study.collapse, study.effects):
        with pytest.raises(InputError, match=r"ask for its variants\(\)"):
            ask()


@pytest.mark.parametrize("plot", [("field.widht",), (RATE, RATE, RATE)])
def test_an_unknown_figure_is_refused(native: StudyAnalysis, plot: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="there are figures of: "):
        native.effects().plot(*plot)


def test_a_url_is_downloaded_and_its_report_lies_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    study = analysis.load((analysis.RESULTS / "suggested").as_uri())
    assert repr(study).startswith("suggested: 12 trials on ")
    assert study.report().path == tmp_path / "suggested-report.html"


def test_what_cannot_be_loaded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere does not exist, seen from "):
        analysis.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is a study of this program"):
        analysis.load(analysis.RESULTS / "suggested", metric="psnr")
    with pytest.raises(InputError, match="no explored runs with different near and far"):
        analysis.load(analysis.RESULTS / "ablation").bounds()


def test_studies_are_compared(native: StudyAnalysis, tmp_path: Path) -> None:
    twin = replace(native.findings, study=replace(native.study, name="twin"))
    both = analysis.compare(native, analysed(twin))
    shares = both.importance().table
    assert set(shares.index.get_level_values("study")) == {"pooled", "native", "twin"}
    assert shares.loc[(RATE, "twin"), "share"] == shares.loc[(RATE, "native"), "share"]
    assert {"all", "twin"} < set(both.collapse().table["study"])
    assert "pooled_share" in set(both.claims()["kind"])
    for result in (both.importance(), both.collapse()):
        assert isinstance(result.plot(), go.Figure)
    assert both.report(tmp_path / "both.html").path.exists()


def test_studies_without_a_common_parameter_are_not_compared(
    native: StudyAnalysis, recorded: StudyAnalysis
) -> None:
    with pytest.raises(InputError, match="vary no parameter in common"):
        analysis.compare(native, recorded).importance()
