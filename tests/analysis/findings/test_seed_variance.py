"""What the seed alone does, from configurations that were run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.seed_variance import SeedVariance, estimate_seed_variance, select_other_seeds
from nerf.config.parameters import Value
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]


def table(
    rng: np.random.Generator, deviation: float, explore: int = 24, replicates: int = 24
) -> pd.DataFrame:
    """Explored trials x with psnr 10 x, and replicates of explored ones and of the best in turn."""
    x = rng.random(explore)
    again = [x[(i // 2) % explore] if i % 2 == 0 else x.max() for i in range(replicates)]
    every = np.concatenate([x, again])
    return pd.DataFrame(
        {
            "number": range(len(every)),
            "trial_id": [str(i) for i in range(len(every))],
            "phase": ["explore"] * explore + ["replicate"] * replicates,
            "state": "completed",
            "steps_done": 100,
            "budget_steps": 100,
            "psnr": 10 * every + deviation * rng.normal(size=len(every)),
            "x": every,
        }
    )


def known(trials: pd.DataFrame) -> SeedVariance:
    return estimate_seed_variance(trials, ["x"], None, np.random.default_rng(0))


def test_intervals_of_the_deviation_cover_it_in_19_of_20_studies() -> None:
    covered = []
    for seed in range(100):
        spread = known(table(np.random.default_rng(seed), 0.5)).everywhere
        assert spread is not None
        assert (spread.configurations, spread.runs) == (12, 24)
        covered.append(spread.low <= 0.5 <= spread.high)
    assert 0.9 <= np.mean(covered) <= 0.99


def test_repeats_of_variants_are_no_sample_of_the_space() -> None:
    trials = table(np.random.default_rng(0), 0.5).assign(phase="variant")
    seeds = known(trials)
    assert (seeds.everywhere, seeds.best, seeds.repeated) == (None, None, 0)


def test_the_first_run_of_a_repeated_best_trial_does_not_count() -> None:
    """The best three were chosen for their luck, which their first runs have and no other."""
    trials = table(np.random.default_rng(0), 0.0, replicates=48)
    of_best = trials.query("phase == 'replicate'").index[1::2]
    best = trials.query("phase == 'explore'").nlargest(3, "x")
    trials.loc[of_best, "x"] = np.resize(best["x"], len(of_best))
    trials.loc[best.index, "psnr"] += 7.0
    spread = known(trials).best
    assert spread is not None
    assert (spread.configurations, spread.runs) == (3, 24)
    noise = trials.loc[of_best].groupby("x")["psnr"].std()
    assert spread.deviation == pytest.approx(noise.pow(2).mean() ** 0.5, rel=0.2)


def test_a_configuration_that_collapsed_with_some_seeds_counts_as_partly_collapsed() -> None:
    trials = table(np.random.default_rng(0), 0.5)
    trials.loc[[0, 1, 25], "state"] = "collapsed"  # 0: explored; 24 repeats 0, 26 repeats 1
    trials.loc[26, "state"] = "collapsed"
    seeds = known(trials)
    assert (seeds.repeated, seeds.partly_collapsed) == (12, 1)
    assert seeds.everywhere is not None
    assert seeds.everywhere.configurations == 10


def test_without_replicates_there_is_no_estimate() -> None:
    seeds = known(table(np.random.default_rng(0), 0.5, replicates=0))
    assert seeds == SeedVariance(None, None, 0, 0, ())
    assert seeds.reference is None


def ten_frequencies(values: Mapping[str, Value]) -> float:
    return 15.0 + 0.6 * int(values["encoding.position_frequencies"])


def test_variance_is_split_into_parameters_interactions_and_seed(make_study: Make) -> None:
    vary = ("encoding.position_frequencies", "optimisation.learning_rate", "field.width=32:128")
    folder = make_study(
        "split",
        explore=64,
        optimize=1,
        replicates=48,
        vary=vary,
        objective=ten_frequencies,
        noise=1.0,
    )
    findings = analyze_study(folder)
    explored = findings.study.trials.query("phase == 'explore'")
    truth = 1.0 / explored["psnr"].var()
    single, together, seed = findings.seeds.parts
    assert (single.name, together.name, seed.name) == ("single parameters", "interactions", "seed")
    assert seed.low <= truth <= seed.high
    assert single.low <= 1.0 - truth <= single.high
    assert together.low <= 0.02
    assert sum(part.share for part in findings.seeds.parts) == pytest.approx(1.0)


def test_replicates_do_not_change_shares_and_are_never_the_best(
    make_study: Make, study_findings: Findings
) -> None:
    more = analyze_study(make_study("more", explore=32, optimize=4, replicates=24))
    assert more.importance == study_findings.importance
    assert more.best is not None
    assert more.best["phase"] != "replicate"
    assert more.comparable.left_out["repeated with another seed"] == 24
    paths = [d.path for d in more.study.space.dimensions]
    again = select_other_seeds(more.study.trials, paths, more.study.trials.iloc[0])
    assert list(again["number"]) == [36]
