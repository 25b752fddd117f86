"""With which values most and fewest runs break, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.claims.answer_claims import describe_worst
from analysis.findings.breaking import BreakingAnalysis, analyze_breaking
from study.spec.space import Dimension

ACT = Dimension("act", "choice", choices=("relu", "sigmoid", "sine"), label="activation")


def break_with(collapsed: Sequence[int]) -> BreakingAnalysis:
    """Of 20 runs with each activation, so many collapse."""
    outcome = [word for n in collapsed for word in ["collapsed"] * n + ["trained"] * (20 - n)]
    act = np.repeat(ACT.choices, 20)
    table = pd.DataFrame({"phase": "explore", "outcome": outcome, "act": act})
    return analyze_breaking(table, (ACT,), np.random.default_rng(0))


def test_of_several_levels_without_a_break_none_is_the_safest() -> None:
    text = describe_worst(break_with([12, 0, 0]))
    assert text.startswith(", most with activation relu (60 % [")
    assert text.endswith("]), none of 40 with sigmoid and sine")


def test_the_level_with_the_fewest_breaks_is_named() -> None:
    for collapsed in ([12, 2, 1], [12, 2, 0]):
        text = describe_worst(break_with(collapsed))
        assert "), fewest with sine (" in text
