"""The plane of near and far in cells: what is counted, and what is shown for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.findings.bounds_map import FAR, NEAR, compare_bounds, map_bounds


def trials(count: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    near = rng.uniform(1.0, 5.0, count)
    far = near + rng.uniform(0.5, 4.0, count)
    return pd.DataFrame(
        {
            "trial_id": [f"{i:05d}" for i in range(count)],
            "phase": "explore",
            "outcome": np.select(
                [near > 4.0, far > 7.0], ["collapsed", "shows nothing"], "trained"
            ),
            "psnr": rng.normal(20, 1, count),
            NEAR: near,
            FAR: far,
        }
    )


def test_every_explored_trial_is_in_the_cell_of_its_bounds() -> None:
    table = trials()
    bounds = map_bounds(table)
    assert bounds is not None
    assert list(bounds.near) == sorted(bounds.near)
    assert list(bounds.far) == sorted(bounds.far, reverse=True)
    assert sum(c.rate.trials for row in bounds.cells for c in row if c) == len(table)
    for r, row in enumerate(bounds.cells):
        for c, cell in enumerate(row):
            inside = table[
                table[NEAR].between(bounds.near[c], bounds.near[c + 1])
                & table[FAR].between(bounds.far[r + 1], bounds.far[r])
            ]
            assert (cell is None) == inside.empty
            if cell is not None:
                assert cell.rate.trials == len(inside)
                assert cell.rate.collapsed == (inside["outcome"] == "collapsed").sum()
                assert cell.rate.shows_nothing == (inside["outcome"] == "shows nothing").sum()
                assert cell.rate.broken == cell.rate.collapsed + cell.rate.shows_nothing
                assert cell.trial_id in set(inside["trial_id"])


def test_a_cell_shows_its_trial_of_median_psnr() -> None:
    table = trials(3).assign(**{NEAR: [1.0, 1.1, 5.0], FAR: [2.0, 2.1, 9.0]})
    table["psnr"] = [30.0, 10.0, 20.0]
    bounds = map_bounds(table)
    assert bounds is not None
    assert [c.trial_id for row in bounds.cells for c in row if c] == ["00002", "00001"]


@pytest.mark.parametrize("phase", ["optimize", "replicate"])
def test_trials_of_other_phases_are_left_out(phase: str) -> None:
    assert map_bounds(trials().assign(phase=phase)) is None


def test_no_map_if_a_bound_is_fixed_or_unknown() -> None:
    assert map_bounds(trials().assign(**{NEAR: 2.0})) is None
    assert map_bounds(trials().drop(columns=FAR)) is None


def test_bounds_that_enclose_the_object_are_compared_with_those_that_cut_it() -> None:
    table = trials().assign(outcome="trained")
    encloses = (table[NEAR] <= 2.5) & (table[FAR] >= 4.5)
    table["psnr"] += 3.0 * encloses
    table.loc[table.index[~encloses][:2], "outcome"] = "collapsed"
    compared = compare_bounds(table, (2.5, 4.5))
    assert compared is not None
    assert compared.trained == (encloses.sum(), (~encloses).sum() - 2)
    assert (compared.enclosing.broken, compared.cutting.broken) == (0, 2)
    assert compared.difference is not None
    assert compared.difference.low < 3.0 < compared.difference.high


def test_without_suggested_bounds_nothing_is_compared() -> None:
    assert compare_bounds(trials(), None) is None
