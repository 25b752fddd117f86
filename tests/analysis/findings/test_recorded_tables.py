"""Tables of other tools' sweeps: the metric under its own name, with its own values."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.findings.analyze_study import Findings
from analysis.findings.recorded_trials import tabulate_recorded_trials
from analysis.findings.tables import build_tables, write_tables
from study.spec.space import Space


def test_tables_are_those_that_the_record_supports(
    minimised_findings: Findings, maximised_findings: Findings
) -> None:
    names = ["importance", "pairs", "signals", "effects", "trials"]
    assert list(build_tables(minimised_findings)) == names
    assert list(build_tables(maximised_findings)) == names


def test_the_trials_have_the_metric_and_no_score(minimised_findings: Findings) -> None:
    table = build_tables(minimised_findings)["trials"]
    settings = ["lr", "optimizer", "width", "reason"]
    assert list(table.columns) == ["trial", "state", "val_loss", "step", *settings]
    assert np.array_equal(
        table["val_loss"], -minimised_findings.study.trials["score"], equal_nan=True
    )
    assert table["val_loss"].min() > 0


def test_columns_are_left_out_where_nothing_was_recorded(maximised_findings: Findings) -> None:
    study = maximised_findings.study
    blank = study.trials.assign(train_seconds=float("nan"), reason="")
    table = tabulate_recorded_trials(dataclasses.replace(study, trials=blank))
    assert list(table.columns) == ["trial", "state", "accuracy", "lr", "optimizer", "width"]


def test_a_setting_of_the_name_of_a_column_is_told_apart(maximised_findings: Findings) -> None:
    study = maximised_findings.study
    first, *others = study.space.dimensions
    renamed = Space((dataclasses.replace(first, label="state"), *others))
    table = tabulate_recorded_trials(dataclasses.replace(study, space=renamed))
    assert list(table["state"].unique()) == ["completed", "pruned", "failed"]
    assert table["state (setting)"].equals(study.trials["lr"].rename("state (setting)"))


def test_questions_and_effects_are_about_the_metric(minimised_findings: Findings) -> None:
    tables = build_tables(minimised_findings)
    assert tables["importance"]["question"].str.startswith("val_loss: ").all()
    effects = tables["effects"]
    assert (effects["low"] <= effects["mean"]).all()
    assert (effects["mean"] <= effects["high"]).all()
    of_lr = effects[effects["parameter"] == "lr"]
    worse, good = (of_lr[of_lr["verdict"] == verdict] for verdict in ("worse", "as good"))
    assert worse["mean"].min() > good["mean"].max() > 0


def test_a_rank_correlation_is_with_the_metric(minimised_findings: Findings) -> None:
    study = minimised_findings.study
    (width,) = (t for t in minimised_findings.permutation_tests if t.path == "width")
    table = build_tables(minimised_findings)["signals"].set_index("path")
    assert table.loc["width", "correlation"] == -width.correlation
    assert table.loc["width", "low"] == -width.high
    used = minimised_findings.comparable.trials
    expected = pd.Series(-used["score"]).corr(used["width"].astype(float), method="spearman")
    assert table.loc["width", "correlation"] == pytest.approx(expected)
    assert study.metric.minimize


@pytest.mark.parametrize("kind", ["csv", "md", "json"])
def test_files_name_the_metric_and_nothing_of_ours(
    kind: str, minimised_findings: Findings, tmp_path: Path
) -> None:
    files = write_tables(minimised_findings, "", kind, tmp_path)  # type: ignore[arg-type]
    text = "".join(file.read_text() for file in files)
    assert "val_loss" in text
    assert not any(word in text for word in ("psnr", "PSNR", "score", "ssim", "phase", "breaks"))
    if kind == "json":
        trials = json.loads(text)["trials"]
        assert min(t["val_loss"] for t in trials if t["val_loss"] is not None) > 0
