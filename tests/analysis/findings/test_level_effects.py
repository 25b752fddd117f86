"""What a level changes where runs train: PSNR and time, pooled over studies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import exp
from pathlib import Path

import pandas as pd
import pytest

from analysis import report
from analysis.claims.claim import KINDS
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import Comparison, compare_studies, label_studies
from analysis.findings.level_effects import MIN_RUNS, LevelDifference, PooledDifference
from analysis.pages.comparison_page import render_comparison_page
from analysis.stats.additive_model import Contrast
from analysis.stats.random_effects import pool_random_effects
from nerf.config.parameters import Value
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]
CROP, DENSITY, NEAR = "optimisation.crop_steps", "field.density_activation", "sampling.near"
VARY = (NEAR, f"{CROP}=0,50,100", DENSITY)
GAINS = {0: 0.0, 50: 1.0, 100: -0.5}


def crop_gains(values: Mapping[str, Value]) -> float:
    return 20.0 + GAINS[int(values[CROP])]


@pytest.fixture(scope="module")
def three(make_study: Make) -> list[Findings]:
    """Studies that collapse where near is large, whatever else."""
    return [
        analyze_study(make_study(f"study{i}", explore=48, vary=VARY, objective=crop_gains, seed=i))
        for i in range(3)
    ]


@pytest.fixture(scope="module")
def comparison(three: list[Findings]) -> Comparison:
    return compare_studies(three)


def test_known_gains_lie_in_the_pooled_intervals(comparison: Comparison) -> None:
    effects = {(e.path, e.level): e for e in comparison.levels}
    reference = next(e.reference for e in comparison.levels if e.path == CROP)
    for level in {"0", "50", "100"} - {reference}:
        pooled = effects[CROP, level].psnr.pooled
        assert pooled is not None
        truth = GAINS[int(level)] - GAINS[int(reference)]
        assert pooled.low <= truth <= pooled.high
        assert pooled.mean == pytest.approx(truth, abs=0.3)
        seconds = effects[CROP, level].log_seconds.pooled
        assert seconds is not None
        assert 0.8 < exp(seconds.mean) < 1.25


def test_an_effect_states_the_runs_that_it_rests_on(
    three: list[Findings], comparison: Comparison
) -> None:
    trained = pd.concat([findings.comparable.trials for findings in three])
    effects = [effect for effect in comparison.levels if effect.path == CROP]
    for effect in effects:
        runs = tuple(int((trained[CROP] == int(n)).sum()) for n in (effect.level, effect.reference))
        assert effect.psnr.runs == runs
        stated = f"({runs[0]} with {effect.level} and {runs[1]} with {effect.reference})"
        claims = [c for c in list_comparison_claims(comparison) if stated in c.text]
        assert {"psnr_instead", "time_instead"} <= {c.kind for c in claims}


def test_a_level_with_few_runs_that_trained_is_not_compared(three: list[Findings]) -> None:
    """A study of which all but four runs of a level broke says nothing on its PSNR."""
    first = three[0]
    trials = first.comparable.trials
    of_level = trials[DENSITY] == "sigmoid"
    kept = trials[~of_level | (of_level.astype(int).cumsum() < MIN_RUNS)]
    few = replace(first, comparable=replace(first.comparable, trials=kept))
    before, after = compare_studies(three), compare_studies([few, *three[1:]])
    sigmoid = [
        next(e for e in c.levels if (e.path, e.level) == (DENSITY, "sigmoid"))
        for c in (before, after)
    ]
    assert [list(e.psnr.by_study) for e in sigmoid] == [
        ["study0", "study1", "study2"], ["study1", "study2"]
    ]  # fmt: skip


def test_the_study_that_goes_the_other_way_is_named() -> None:
    estimates = {
        "bricks": (1.0, 0.01),
        "fox": (1.1, 0.01),
        "cup": (-0.8, 0.01),
        "lego": (-0.1, 0.1),
    }
    by_study = {
        label: LevelDifference(Contrast(*values, freedom=20), 9, 9)
        for label, values in estimates.items()
    }
    pooled = pool_random_effects(*zip(*estimates.values(), strict=True))
    assert PooledDifference(by_study, pooled).opposed == ("cup",)
    assert PooledDifference({}, None).opposed == ()


def test_every_level_has_claims_with_both_levels(comparison: Comparison) -> None:
    claims = list_comparison_claims(comparison)
    assert {c.kind for c in claims} <= set(KINDS)
    pooled = [effect for effect in comparison.levels if effect.psnr.pooled]
    stated = [c for c in claims if c.kind == "psnr_instead"]
    assert len(stated) == len(pooled)
    assert all(len(c.parameters) == 2 and c.n >= 2 for c in stated)
    assert all("on average over studies like these" in c.text for c in stated)


def test_the_same_studies_give_the_same_comparison(three: list[Findings]) -> None:
    first, again = compare_studies(three), compare_studies(three)
    assert list_comparison_claims(first) == list_comparison_claims(again)


def test_studies_of_one_scene_are_labelled_by_name(three: list[Findings]) -> None:
    assert list(label_studies(three)) == ["study0", "study1", "study2"]
    assert list(label_studies(three[:1])) == ["synthetic"]


def test_the_page_has_the_section_before_the_shares(
    three: list[Findings], comparison: Comparison
) -> None:
    page = render_comparison_page(three, comparison)
    breaking = page.index("What breaks training across the studies?")
    assert breaking < page.index("Do the studies agree?")
    assert "Rate of breaking against near, by study" in page
    assert "more than with" in page


def test_json_of_several_studies_has_the_claims_of_the_comparison(
    three: list[Findings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    analysed = {findings.study.name: findings for findings in three}
    monkeypatch.setattr("analysis.api.open_study.analyze_study", lambda study: analysed[study.name])
    folders = [str(findings.study.folder.path) for findings in three]
    out = tmp_path / "claims.json"
    assert report.main([*folders, "--format", "json", "--out", str(out)]) == 0
    claims = json.loads(out.read_text())
    kinds = {claim["kind"] for claim in claims}
    assert {"breaks_across", "safe_across", "psnr_instead", "time_instead"} <= kinds
    most = next(claim for claim in claims if claim["kind"] == "breaks_across")
    assert most["text"] in capsys.readouterr().out
    assert most["low"] < most["estimate"] < most["high"]
