"""Which parameters the live view shows first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nerf.config.parameters import Value
from study.monitor.parameter_order import order_parameters
from study.monitor.progress import EndedTrial, RunningTrial, StudyProgress
from study.spec.parse_space import parse_dimension

DIMENSIONS = [
    parse_dimension(text)
    for text in (
        "field.depth=2:8",
        "field.density_activation=relu,softplus,sigmoid",
        "optimisation.learning_rate=0.001:0.01",
    )
]


def values(index: int) -> dict[str, Value]:
    """Values of which the rate grows with the index, and the others go round."""
    activation = ("relu", "softplus", "sigmoid")[index % 3]
    rate = 0.001 + 0.0003 * index
    return dict(zip([d.path for d in DIMENSIONS], (2 + index % 5, activation, rate), strict=True))


def first(psnrs: Sequence[float], running: Sequence[int] = ()) -> tuple[str, str]:
    """The parameter that comes first, and why, where the i-th trial ended with psnrs[i]."""
    ended = tuple(
        EndedTrial(i, "explore", "trained", "", psnr, values(i)) for i, psnr in enumerate(psnrs)
    )
    at_work = tuple(RunningTrial(99, "explore", 0, (), values(i), 0) for i in running)
    progress = StudyProgress({"explore": 99}, ended, at_work, (), 0, 0.0)
    order = order_parameters(progress, {"": DIMENSIONS})
    return order.dimensions[0].path, order.basis


def test_what_explains_the_psnr_comes_first() -> None:
    rising = [10.0 + i for i in range(24)]
    assert first(rising) == (
        "optimisation.learning_rate",
        "parameters by the PSNR that they explain so far (24 trials)",
    )
    best_in_the_middle = [20.0 - abs(i - 12) for i in range(24)]
    assert first(best_in_the_middle)[0] == "optimisation.learning_rate"
    by_activation = [10.0 * (i % 3) + 0.1 * (i % 4) for i in range(24)]
    assert first(by_activation)[0] == "field.density_activation"


def test_a_diverged_trial_counts_as_the_worst() -> None:
    with_nan = [math.nan if i % 3 == 1 else 20.0 + i % 4 for i in range(24)]
    assert first(with_nan)[0] == "field.density_activation"


def test_before_there_are_results_what_differs_comes_first() -> None:
    assert first([], running=(0, 20)) == (
        "field.density_activation",
        "parameters by how much they differ",
    )
    assert first([], running=(0, 3)) == ("field.depth", "parameters by how much they differ")
    assert first([], running=(4,)) == ("field.depth", "")
