"""A study of several metrics: its front, and every metric analysed as if it were alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.claims.list_claims import list_claims, select_claims
from analysis.data.study import load_study
from analysis.figures.study_figures import list_study_figures
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.tables import build_tables
from analysis.pages.study_page import render_study_page
from study.records.outcomes import TRAINED
from study.records.study_folder import StudyFolder

OBJECTIVES = [
    {"metric": "psnr", "unit": "dB", "direction": "max"},
    {"metric": "seconds", "unit": "s", "direction": "min"},
]


def name_metrics(folder: StudyFolder, objectives: list[dict[str, str]]) -> StudyFolder:
    """Lets a study be of these metrics; more frequencies take longer, and broken runs least."""
    document = folder.read_spec()
    document["spec"]["objectives"] = objectives
    folder.write_spec(document)
    rng = np.random.default_rng(0)
    for record in folder.records():
        row = record["trial"]
        seconds = 2.0 + row["encoding.position_frequencies"] + 0.1 * rng.normal()
        row["train_seconds"] = seconds if row["state"] == "completed" else 0.1
        for point in record["curve"]:
            point["seconds"] = row["train_seconds"] * point["step"] / row["budget_steps"]
        folder.append(row, record["curve"])
    folder.write_tables()
    return folder


@pytest.fixture(scope="module")
def folder(make_study: Callable[..., StudyFolder]) -> StudyFolder:
    made = make_study("several", explore=48, optimize=4, replicates=12, alternating=0)
    return name_metrics(made, OBJECTIVES)


@pytest.fixture(scope="module")
def findings(folder: StudyFolder) -> Findings:
    return analyze_study(folder)


def test_the_front_is_of_explored_and_optimised_runs_that_trained(findings: Findings) -> None:
    front = findings.front
    assert front is not None
    candidates = front.candidates
    assert set(candidates["outcome"]) == {TRAINED}
    assert set(candidates["phase"]) == {"explore", "optimize"}
    for _, trial in candidates.iterrows():
        better = (candidates["psnr"] >= trial["psnr"]) & (
            candidates["train_seconds"] <= trial["train_seconds"]
        )
        assert (better.sum() == 1) == (trial["trial_id"] in set(front.trials["trial_id"]))
    assert front.balanced is not None
    assert front.balanced["trial_id"] in set(front.trials["trial_id"])


def test_the_sentence_on_the_most_balanced_run_is_true(findings: Findings) -> None:
    front = findings.front
    assert front is not None
    assert front.balanced is not None
    (claim,) = select_claims(list_claims(findings), "balanced")
    ranks = pd.DataFrame(
        {
            "psnr": front.candidates["psnr"].rank(ascending=False, method="min"),
            "train_seconds": front.candidates["train_seconds"].rank(method="min"),
        }
    ).max(axis=1)
    assert f"trial {front.balanced['trial_id']}" in claim.text
    assert claim.estimate == ranks[front.balanced.name] == ranks.min()


def test_each_metric_has_its_own_shares_and_best_run(findings: Findings) -> None:
    (by_seconds,) = findings.other_metrics
    assert by_seconds.study.metric.title == "training time (s)"
    assert by_seconds.importance.significant_shares[0].path == "encoding.position_frequencies"
    assert findings.importance.significant_shares[0].path != "encoding.position_frequencies"
    trained = findings.front.candidates if findings.front else pd.DataFrame()
    assert by_seconds.best is not None
    assert findings.best is not None
    assert by_seconds.best["train_seconds"] == trained["train_seconds"].min() > 0.1
    assert findings.best["psnr"] == trained["psnr"].max()


def test_its_claims_name_their_metric(findings: Findings) -> None:
    claims = list_claims(findings)
    further = select_claims(claims, "in_metric")
    assert further
    assert all(claim.text.startswith("By training time: ") for claim in further)
    assert any("Position frequencies" in c.text and "variance" in c.text for c in further)
    count = len(findings.front.candidates) if findings.front else 0
    lowest = f"By training time: Lowest training time of the {count} explored and optimised runs"
    assert any(c.text.startswith(f"{lowest} that trained: ") for c in further)
    to_set = select_claims(claims, "what_to_set", "what_next")
    assert all(claim.text.startswith("By PSNR: ") for claim in to_set)
    assert not any("counting runs that broke" in claim.text for claim in further)


def test_the_configuration_that_was_repeated_is_compared(findings: Findings) -> None:
    both = findings.best_and_default
    assert both is not None
    assert both.choice == "most balanced"


def test_tables_and_figures_have_every_metric(findings: Findings) -> None:
    tables = build_tables(findings)
    assert {"front", "train_seconds_importance", "train_seconds_effects"} <= set(tables)
    assert {"psnr", "train_seconds", "peak_memory"} <= set(tables["trials"])
    front = tables["front"]
    assert list(front.columns[2:4]) == ["PSNR (dB)", "training time (s)"]
    assert front["most balanced"].sum() == 1
    json.loads(front.to_json(orient="records"))
    figures = set(list_study_figures(findings))
    assert {"front_psnr_train_seconds", "train_seconds_importance"} <= figures


def test_the_page_says_what_is_corrected(findings: Findings) -> None:
    page = render_study_page(findings).replace("\u00a0", " ")
    assert 'id="front"' in page
    assert "training time (s), the lowest is best" in page
    assert "but neither tests nor 95 % intervals for the number of" in page


@pytest.mark.parametrize("metric", ["seconds", "ssim", "memory"])
def test_a_run_trains_by_its_psnr_whatever_it_is_ranked_by(
    make_study: Callable[..., StudyFolder], metric: str
) -> None:
    made = make_study(metric, explore=16, optimize=1, objective=lambda _: 8.0, noise=0.1)
    direction = "max" if metric == "ssim" else "min"
    name_metrics(made, [{"metric": metric, "unit": "", "direction": direction}])
    assert TRAINED not in set(load_study(made).trials["outcome"])
