"""Of many trials a page shows the best and an even part of the others, and says so."""

import numpy as np
import pandas as pd

from analysis.data.shown_trials import MAX_SHOWN, describe_shown, select_shown


def scored(count: int) -> pd.DataFrame:
    scores = np.random.default_rng(0).permutation(count).astype(float)
    scores[:: count // 10] = np.nan
    return pd.DataFrame({"trial_id": [f"{i:05d}" for i in range(count)], "score": scores})


def test_few_trials_are_all_shown() -> None:
    trials = scored(MAX_SHOWN)
    assert select_shown(trials) is trials
    assert describe_shown(len(trials)) == ""


def test_of_many_the_best_and_an_even_part_are_shown_in_their_order() -> None:
    trials = scored(10_000)
    shown = select_shown(trials)
    assert len(shown) == MAX_SHOWN
    assert shown["trial_id"].is_monotonic_increasing
    assert set(trials.nlargest(200, "score")["trial_id"]) <= set(shown["trial_id"])
    others = shown["score"].nsmallest(len(shown) - 200)
    assert abs(others.mean() - trials["score"].mean()) < 200
    assert shown["score"].isna().any()  # such as failed ones
    assert describe_shown(len(trials)) == (
        "Shown are 1,200 of 10,000 trials: the best 200 and an even part of the others."
    )
