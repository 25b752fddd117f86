"""What breaks training over several studies: blocked rates and tests, orders, and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from analysis.claims.across_claims import list_breaking_across_claims
from analysis.claims.claim import Claim
from analysis.findings.breaking import analyze_breaking
from analysis.findings.breaking_across import BreakingAcross, analyze_breaking_across
from analysis.findings.parameters_across import Order, StudyBreaking
from analysis.stats import blocked_test, rates
from study.spec.space import Dimension

ACT = Dimension("act", "choice", choices=("relu", "sigmoid", "sine"), label="activation")
NEAR = Dimension("near", "float", 0.0, 8.0, label="near")
Probabilities = Mapping[str, float]


def simulate(
    label: str, probabilities: Probabilities, rng: np.random.Generator, runs: int = 60
) -> StudyBreaking:
    """A study whose runs break with the probability of their activation; near does nothing."""
    act = np.resize(ACT.choices, runs)
    broken = rng.random(runs) < [probabilities[name] for name in act]
    outcome = np.where(broken, rng.choice(["collapsed", "shows nothing"], runs), "trained")
    table = pd.DataFrame(
        {"phase": "explore", "outcome": outcome, "act": act, "near": rng.uniform(0, 8, runs)}
    )
    return StudyBreaking(
        label, analyze_breaking(table, (ACT, NEAR), rng), {"act": "relu", "near": "0 to 2"}
    )


def analyze(
    probabilities: Mapping[str, Probabilities], seed: int = 0, runs: int = 60
) -> BreakingAcross:
    rng = np.random.default_rng(seed)
    studies = [simulate(label, p, rng, runs) for label, p in probabilities.items()]
    return analyze_breaking_across(studies, rng)


def equal(rate: float) -> Probabilities:
    return dict.fromkeys(("relu", "sigmoid", "sine"), rate)


def claims_of(breaking: BreakingAcross) -> Mapping[str, Claim]:
    return {claim.kind: claim for claim in list_breaking_across_claims(breaking)}


KNOWN = {"relu": 0.3, "sigmoid": 0.9, "sine": 0.02}


def test_a_known_order_is_claimed_and_counts_add_up() -> None:
    breaking = analyze({"bricks": KNOWN, "fox": KNOWN, "cup": KNOWN})
    (act,) = breaking.significant_parameters
    assert (act.path, act.worst.name, act.safest.name) == ("act", "sigmoid", "sine")
    for i, rate in enumerate(act.rates):
        own = [rates[i] for rates in act.by_study.values()]
        assert rate.trials == sum(r.trials for r in own) == 60
        assert rate.collapsed == sum(r.collapsed for r in own)
        assert rate.shows_nothing == sum(r.shows_nothing for r in own)
    assert act.worst.low <= 0.9 <= act.worst.high
    assert act.safest.low <= 0.02 <= act.safest.high
    text = claims_of(breaking)["breaks_across"].text
    assert text.startswith("Most break with activation sigmoid: ")
    assert "of 60 explored runs over 3 studies" in text
    assert text.endswith("more than with sine on all 3 studies.")


def test_a_study_that_reverses_the_order_is_named() -> None:
    reversed_order = {"relu": 0.3, "sigmoid": 0.05, "sine": 0.9}
    breaking = analyze({"bricks": KNOWN, "fox": KNOWN, "cup": KNOWN, "lego": reversed_order})
    act = next(p for p in breaking.parameters if p.path == "act")
    assert act.order("sigmoid", "sine") == Order(("bricks", "fox", "cup"), ("lego",), ())
    assert "on 3 of 4 studies and fewer on lego." in claims_of(breaking)["breaks_across"].text
    assert "on all" not in claims_of(breaking)["safe_across"].text


def test_an_effect_on_one_study_only_says_so() -> None:
    breaking = analyze({"bricks": equal(0.0), "fox": KNOWN, "cup": equal(0.0)}, runs=90)
    text = claims_of(breaking)["breaks_across"].text
    assert "more than with sine on one study only (fox) and fewer on none" in text
    assert "(no run breaks on bricks and cup)" in text


def test_a_contrast_is_with_the_reference_and_its_interval_holds_the_truth() -> None:
    breaking = analyze({"bricks": KNOWN, "fox": KNOWN, "cup": KNOWN})
    act = next(p for p in breaking.parameters if p.path == "act")
    sigmoid, sine = act.contrasts
    assert {sigmoid.reference.name, sine.reference.name} == {"relu"}
    assert sigmoid.significant
    assert sigmoid.difference.low <= 0.6 <= sigmoid.difference.high
    assert sine.difference.low <= -0.28 <= sine.difference.high
    assert sine.order.fewer == ("bricks", "fox", "cup")


def test_scenes_of_unlike_rates_are_not_an_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels make no difference within a study: no claim in about 95 % of sets of studies."""
    monkeypatch.setattr(rates, "_SAMPLED_TABLES", 9)  # of each study alone
    monkeypatch.setattr(blocked_test, "_SAMPLED_TABLES", 399)
    scenes = {"bricks": equal(0.8), "fox": equal(0.05), "cup": equal(0.4)}
    claimed = sum(
        bool(analyze(scenes, seed, runs=48).significant_parameters) for seed in range(100)
    )
    assert claimed <= 10  # of 100 with 5 % each, more have probability 1 %


def test_study_is_a_block() -> None:
    """One study has only the level that breaks and all its runs break; within it nothing differs.

    A test of the added counts would call that an effect of the level.
    """
    rng = np.random.default_rng(0)
    runs = {"bricks": (["relu", "sigmoid"] * 30, 0.0), "fox": (["sigmoid"] * 59 + ["relu"], 1.0)}
    studies = []
    for label, (act, rate) in runs.items():
        outcome = "collapsed" if rate else "trained"
        table = pd.DataFrame({"phase": "explore", "outcome": outcome, "act": act})
        studies.append(StudyBreaking(label, analyze_breaking(table, (ACT,), rng), {"act": "relu"}))
    (act,) = analyze_breaking_across(studies, rng).parameters
    assert act.p_value == 1.0
    assert act.quiet == ("bricks",)


def test_a_difference_is_within_studies() -> None:
    """Most runs of sigmoid are of a scene where all levels break often, those of relu of another.

    Counts added up say that sigmoid breaks much more; within each study it breaks less.
    """
    rng = np.random.default_rng(0)
    studies = []
    for label, count, rate in (("bricks", (40, 160), (0.95, 0.8)), ("fox", (160, 40), (0.2, 0.05))):
        act = np.repeat(["relu", "sigmoid"], count)
        broken = np.concatenate([np.arange(n) < r * n for n, r in zip(count, rate, strict=True)])
        outcome = np.where(broken, "collapsed", "trained")
        table = pd.DataFrame({"phase": "explore", "outcome": outcome, "act": act})
        studies.append(StudyBreaking(label, analyze_breaking(table, (ACT,), rng), {"act": "relu"}))
    (parameter,) = analyze_breaking_across(studies, rng).parameters
    (sigmoid,) = parameter.contrasts  # no run has sine
    assert sigmoid.level.rate - sigmoid.reference.rate > 0.25
    assert sigmoid.difference.estimate == pytest.approx(-0.15)
    assert sigmoid.significant
    assert sigmoid.order.fewer == ("bricks", "fox")


def test_a_pair_matters_if_each_does_within_the_other_and_study() -> None:
    rng = np.random.default_rng(3)
    studies = []
    for label in ("bricks", "fox"):
        act, near = np.resize(ACT.choices, 90), rng.uniform(0, 8, 90)
        both = (act == "sigmoid") & (near > 16 / 3)
        outcome = np.where(both, "collapsed", "trained")
        table = pd.DataFrame({"phase": "explore", "outcome": outcome, "act": act, "near": near})
        breaking = analyze_breaking(table, (ACT, NEAR), rng)
        studies.append(StudyBreaking(label, breaking, {"act": "relu", "near": "0 to 2"}))
    across = analyze_breaking_across(studies, rng)
    (pair,) = across.significant_pairs
    rate, column, row = pair.worst
    assert (column, row, rate.rate) == ("sigmoid", "5.33 to 8", 1.0)
    assert pair.breaking_in_worst == ("bricks", "fox")
    assert sum(r.trials for rates in pair.rates for r in rates) == 180
    text = claims_of(across)["breaks_pair_across"].text
    assert text.startswith("Activation sigmoid with near 5.33 to 8: 100 % [")


def test_levels_that_differ_between_studies_are_left_out() -> None:
    rng = np.random.default_rng(0)
    studies = []
    for label, high in (("bricks", 8.0), ("fox", 4.0)):
        near = Dimension("near", "float", 0.0, high, label="near")
        table = pd.DataFrame(
            {"phase": "explore", "outcome": ["collapsed", "trained"] * 20,
             "near": rng.uniform(0, high, 40), "act": np.resize(ACT.choices, 40)}
        )  # fmt: skip
        breaking = analyze_breaking(table, (near, ACT), rng)
        studies.append(StudyBreaking(label, breaking, {"act": "relu", "near": "0 to 1"}))
    across = analyze_breaking_across(studies, rng)
    assert [p.path for p in across.parameters] == ["act"]
    assert across.left_out == ("near",)
    assert not across.pairs


def test_the_same_studies_give_the_same_result() -> None:
    scenes = {"bricks": KNOWN, "fox": equal(0.3)}
    first, again = (analyze(scenes, seed=7) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_without_a_difference_in_outcome_nothing_is_claimed(rate: float) -> None:
    breaking = analyze({"bricks": equal(rate), "fox": equal(rate)})
    assert all(p.p_value == 1.0 for p in breaking.parameters)
    kinds: Sequence[str] = list(claims_of(breaking))
    assert kinds == ([] if rate == 0.0 else ["no_breaking_across"])
