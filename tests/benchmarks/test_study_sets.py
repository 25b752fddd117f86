"""Sets of studies with known truth, and a slice of the benchmark of what is claimed of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from simulated.score_sets import (
    EQUAL_LEVELS,
    ON_ALL,
    ON_NONE,
    REVERSED,
    SET_CLAIMS,
    SetCase,
    score_set,
)
from simulated.simulate_study import simulate_study
from simulated.study_sets import (
    CROP,
    DENSITY,
    HIDDEN,
    NOISE,
    SET_SIZE,
    StudySet,
    find_set_kind,
    make_set,
)

from analysis.claims.claim import Claim
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.data.study import Study
from analysis.findings.analyze_study import analyze_study
from analysis.findings.comparison import Comparison, compare_studies
from analysis.surrogate import posterior_draws


def make(kind: str, index: int = 0) -> StudySet:
    of_sets = find_set_kind(kind)
    assert of_sets is not None
    return make_set(of_sets, index)


def test_true_rates_follow_the_factors_of_each_scene() -> None:
    truths = list(make("one scene reverses").truths.values())
    assert len(truths) == SET_SIZE
    for truth in truths[:-1]:
        rates = truth.rates(DENSITY)
        assert rates[2] == min(rates)
        assert rates[4] == max(rates)
    assert np.argmin(truths[-1].rates(DENSITY)) == 2
    assert np.argmax(truths[-1].rates(DENSITY)) == 0
    assert np.ptp(truths[0].rates(NOISE)) < 0.01
    assert np.ptp(truths[0].rates(HIDDEN)) < 0.01


def test_where_one_scene_breaks_no_other_does() -> None:
    first, *others = make("one scene breaks").truths.values()
    assert first.breaks.mean() > 0.2
    assert all(truth.breaks.max() == 0.0 for truth in others)


def test_a_set_is_the_same_each_time_and_its_effects_scatter() -> None:
    points = np.array([[0.1, 0.1, 0.1, 0.1], [0.1, 0.9, 0.1, 0.1]])
    sets = [make("one order", 0), make("one order", 0), make("one order", 1)]
    means = [[o.mean(points) for o in s.objectives.values()] for s in sets]
    np.testing.assert_array_equal(means[0], means[1])
    assert not np.allclose(means[0], means[2])
    effects = np.diff(means[0], axis=1).ravel()
    assert 0.05 < effects.std() < 1.0


@pytest.fixture(scope="module")
def compared() -> tuple[SetCase, Comparison]:
    """One set in which a scene reverses the order, analysed with few posterior draws."""
    of_set = make("one scene reverses")
    studies: dict[str, Study] = {
        label: simulate_study(objective, 48, i)
        for i, (label, objective) in enumerate(of_set.objectives.items())
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior_draws, "_DRAWS", 64)
        comparison = compare_studies([analyze_study(study) for study in studies.values()])
    return SetCase(of_set, of_set.truths, studies), comparison


def test_few_claims_on_a_set_are_false(compared: tuple[SetCase, Comparison]) -> None:
    case, comparison = compared
    assert comparison.breaking is not None
    verdicts = score_set(list_comparison_claims(comparison), comparison.breaking, case)
    assert verdicts[EQUAL_LEVELS] == (1, 0, 0)
    claims = [verdicts[kind] for kind in SET_CLAIMS if kind in verdicts]
    assert sum(true for true, _, _ in claims) > 12
    assert sum(false for _, false, _ in claims) <= 1
    of_order = [verdicts.get(kind, (0, 0, 0)) for kind in (ON_ALL, ON_NONE, REVERSED)]
    assert not any(false for _, false, _ in of_order)


def test_false_claims_are_seen(compared: tuple[SetCase, Comparison]) -> None:
    case, comparison = compared
    assert comparison.breaking is not None
    claims = [c for c in list_comparison_claims(comparison) if c.kind in SET_CLAIMS]
    moved = [replace(c, low=(c.high or 0.0) + 9.0, high=(c.high or 0.0) + 10.0) for c in claims]
    verdicts = score_set(moved, comparison.breaking, case)
    assert sum(verdicts[kind][1] for kind in SET_CLAIMS if kind in verdicts) == len(claims)


def test_an_effect_is_that_of_the_levels_that_a_claim_names(
    compared: tuple[SetCase, Comparison],
) -> None:
    case, comparison = compared
    assert comparison.breaking is not None
    claim = Claim(
        "psnr_instead", (f"{CROP}=100", f"{CROP}=0"), 0.4, 0.38, 0.42, "dB", 5, 0.95, "", "A."
    )
    verdicts = score_set([claim], comparison.breaking, case)
    assert verdicts["psnr_instead"] == (1, 0, 0)
