"""Markers of trials: explored ones filled, all others hollow, and the legend says which."""

from __future__ import annotations

import pandas as pd

from analysis.figures.theme import blank_figure
from analysis.figures.trial_markers import HOLLOW, add_trials, describe_markers, group_trials

TRIALS = pd.DataFrame(
    {
        "trial_id": ["0", "1", "2", "3"],
        "phase": ["explore", "optimize", "explore", "replicate"],
        "outcome": ["trained", "trained", "shows nothing", "pruned"],
        "score": [20.0, 21.0, 12.0, 13.0],
    }
)


def test_explored_trials_are_filled_and_drawn_above_hollow_ones() -> None:
    figure = blank_figure(height=300)
    add_trials(figure, TRIALS, TRIALS["score"], TRIALS["score"])
    drawn = [(t.name, t.marker.symbol, t.showlegend) for t in figure.data]
    assert drawn == [
        ("trained", "circle-open", False),
        ("pruned", "triangle-down-open", True),
        ("trained", "circle", True),
        ("shows nothing", "diamond", True),
        (HOLLOW, "circle-open", None),
    ]


def test_a_legend_lists_outcomes_in_one_order_whatever_is_drawn_first() -> None:
    figure = blank_figure(height=300)
    add_trials(figure, TRIALS, TRIALS["score"], TRIALS["score"])
    shown = [t for t in figure.data if t.showlegend is not False]
    ranked = [t.name for t in sorted(shown, key=lambda trace: trace.legendrank)]
    assert ranked == ["trained", "shows nothing", "pruned", HOLLOW]


def test_markers_coloured_by_a_number_have_legend_entries_in_the_colour_of_text() -> None:
    figure = blank_figure(height=300)
    add_trials(figure, TRIALS, TRIALS["score"], TRIALS["score"], colours=TRIALS["score"])
    entries = {t.name: t.marker.color for t in figure.data if t.showlegend is not False}
    assert entries == dict.fromkeys(["trained", "shows nothing", "pruned", HOLLOW], "var(--ink)")


def test_all_are_filled_where_none_was_explored() -> None:
    variants = TRIALS.assign(phase="variant")
    assert not any(group.hollow for group in group_trials(variants))
    figure = blank_figure(height=300)
    add_trials(figure, variants, variants["score"], variants["score"])
    assert HOLLOW not in [trace.name for trace in figure.data]


def test_only_markers_that_are_drawn_are_described() -> None:
    hollow = "; filled markers are explored trials, hollow ones optimised or repeated"
    assert describe_markers(TRIALS) == f"● trained, ◆ shows nothing, ▽ pruned{hollow}"
    assert describe_markers(TRIALS.assign(phase="variant")) == (
        "● trained, ◆ shows nothing, ▼ pruned"
    )
    assert describe_markers(TRIALS[:0]) == ""
