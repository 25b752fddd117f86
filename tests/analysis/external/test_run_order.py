"""Groups of trials whose order their settings fix."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from analysis.external.run_order import find_run_order, is_one_at_a_time

_CELLS = np.array(list(itertools.product(range(4), range(3), range(2), range(3))))[:, :3]


def _loops(cells: NDArray[np.int_]) -> tuple[str, ...]:
    columns = {name: cells[:, j] for j, name in enumerate(("lr", "width", "depth"))}
    return find_run_order(columns, len(cells)).loops


def test_nested_loops_are_recognised_from_the_outermost() -> None:
    assert _loops(_CELLS) == ("lr", "width", "depth")
    assert _loops(_CELLS[:50]) == ("lr", "width", "depth")
    assert _loops(_CELLS[:, [2, 0, 1]]) == ("width", "depth", "lr")


def test_loops_that_failed_resumed_or_ran_in_parallel_are_loops() -> None:
    rng = np.random.default_rng(0)
    assert _loops(_CELLS[rng.random(72) > 0.1])[0] == "lr"
    assert _loops(np.concatenate([_CELLS[:41], _CELLS[36:]]))[0] == "lr"
    assert _loops(_CELLS[np.argsort(np.arange(72) + rng.uniform(0, 6, 72))])[0] == "lr"


def test_a_shuffled_grid_and_random_draws_are_no_loops() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert _loops(rng.permutation(_CELLS)) == ()
        assert (
            find_run_order({"lr": rng.random(64), "bias": rng.integers(0, 2, 64)}, 64).loops == ()
        )


def test_sorted_rows_leave_groups_of_equal_values() -> None:
    rng = np.random.default_rng(0)
    order = find_run_order({"lr": np.sort(rng.random(64)), "width": rng.random(64)}, 64)
    assert order.loops == ("lr",)
    assert len(order.groups) == 64


def test_one_at_a_time() -> None:
    units = np.full((24, 3), 0.5)
    units[np.arange(24), np.arange(24) % 3] = np.linspace(0.1, 0.9, 24)
    assert is_one_at_a_time(units)
    assert not is_one_at_a_time(np.random.default_rng(0).random((24, 3)))
