"""One suite that every importance estimator passes, for any study."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from analysis.importance.ped_anova import estimate_ped_anova
from analysis.importance.permutation_test import PermutationTest, run_permutation_tests
from analysis.importance.shares import SobolShare
from analysis.importance.sobol import estimate_sobol_shares
from analysis.stats.intervals import FloatArray
from analysis.surrogate.gaussian_process import QUICK
from analysis.surrogate.unit_cube import Axis

Data = tuple[FloatArray, FloatArray, tuple[Axis, ...]]
Estimator = Callable[[FloatArray, FloatArray, tuple[Axis, ...], np.random.Generator], Any]


def variance(
    units: FloatArray, targets: FloatArray, axes: tuple[Axis, ...], rng: np.random.Generator
) -> Any:
    importance = estimate_sobol_shares(units, targets, axes, rng, effort=QUICK).importance
    # R2 is not defined where nothing was fitted.
    return importance if importance.shares else replace(importance, r2=0.0)


@dataclass(frozen=True)
class PermutationTests:
    """The tests of all parameters, with the attributes of an estimator's result."""

    shares: tuple[PermutationTest, ...]

    @property
    def refusal(self) -> str:
        return "" if self.shares else "nothing was tested"

    @property
    def significant_shares(self) -> list[PermutationTest]:
        return [test for test in self.shares if test.significant]


def permutation(
    units: FloatArray, targets: FloatArray, axes: tuple[Axis, ...], rng: np.random.Generator
) -> PermutationTests:
    return PermutationTests(run_permutation_tests(units, targets, axes, rng))


ESTIMATORS: dict[str, Estimator] = {"variance": variance, "reaching the top": estimate_ped_anova}
ALL: dict[str, Estimator] = {**ESTIMATORS, "permutation test": permutation}


def plain(trials: int, axes: int) -> Data:
    rng = np.random.default_rng(trials + axes)
    units = rng.random((trials, axes))
    targets = 20 + 3 * units[:, :1].sum(axis=1) + 0.1 * rng.normal(size=trials)
    return units, targets, tuple(Axis(f"x{j}", f"x{j}") for j in range(axes))


def constant_parameter() -> Data:
    units, targets, axes = plain(72, 3)
    units[:, 1] = 0.5
    return units, targets, axes


def single_category() -> Data:
    units, targets, axes = plain(72, 2)
    units[:, 1] = 0.5
    return units, targets, (axes[0], Axis("one", "one", (0.5,), (), unordered=True))


def duplicates() -> Data:
    units, targets, axes = plain(24, 3)
    return np.repeat(units, 3, axis=0), np.repeat(targets, 3), axes


def not_finite() -> Data:
    units, targets, axes = plain(72, 3)
    targets[[0, 5, 9]] = np.nan, np.inf, -np.inf
    return units, targets, axes


def collapsed() -> Data:
    """All renders are black: one PSNR, but for rounding errors."""
    units, targets, axes = plain(72, 3)
    return units, np.full(len(targets), 10.9) + 1e-12 * np.arange(len(targets)), axes


def constant() -> Data:
    units, targets, axes = plain(72, 3)
    return units, np.full(len(targets), 20.0), axes


CASES: dict[str, Callable[[], Data]] = {
    "no trials": lambda: plain(0, 3),
    "one trial": lambda: plain(1, 3),
    "two trials": lambda: plain(2, 3),
    "no parameters": lambda: plain(72, 0),
    "one parameter": lambda: plain(72, 1),
    "thirty parameters": lambda: plain(72, 30),
    "constant parameter": constant_parameter,
    "single category": single_category,
    "duplicates": duplicates,
    "NaN and infinity": not_finite,
    "all collapsed": collapsed,
    "constant objective": constant,
}


def numbers(value: Any) -> Iterable[float]:
    """Every float of a result, however deep."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, float):
        yield value


@pytest.mark.usefixtures("few_resamples")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("estimator", ALL)
def test_result_is_finite_and_complete_or_a_refusal(estimator: str, case: str) -> None:
    units, targets, axes = CASES[case]()
    before = units.copy(), targets.copy()
    with np.errstate(all="raise", under="ignore"):
        result = ALL[estimator](units, targets, axes, np.random.default_rng(0))
    assert all(map(math.isfinite, numbers(result)))
    if not result.refusal:
        assert sorted(share.path for share in result.shares) == sorted(axis.path for axis in axes)
    assert np.array_equal(before[0], units)
    assert np.array_equal(before[1], targets, equal_nan=True)


@pytest.mark.parametrize(
    "case",
    [
        "no trials",
        "one trial",
        "two trials",
        "no parameters",
        "all collapsed",
        "constant objective",
    ],
)
@pytest.mark.parametrize("estimator", ESTIMATORS)  # the permutation test compares ranks alone
def test_data_without_information_are_refused(estimator: str, case: str) -> None:
    result = ESTIMATORS[estimator](*CASES[case](), np.random.default_rng(0))
    assert result.refusal
    assert not result.ranked


@pytest.mark.parametrize("estimator", ALL)
def test_a_constant_parameter_is_not_significant(estimator: str) -> None:
    result = ALL[estimator](*constant_parameter(), np.random.default_rng(0))
    assert [share.path for share in result.significant_shares] == ["x0"]


def intervals(share: Any) -> list[tuple[float, float, float]]:
    """(low, estimate, high) of each number of one parameter."""
    if isinstance(share, SobolShare):
        return [
            (share.alone_low, share.alone, share.alone_high),
            (share.share_low, share.share, share.share_high),
            (share.rank_low, share.rank, share.rank_high),
        ]
    estimate = share.correlation if isinstance(share, PermutationTest) else share.share
    return [(share.low, estimate, share.high)]


@pytest.mark.parametrize("estimator", ALL)
def test_intervals_hold_their_estimates(estimator: str) -> None:
    result = ALL[estimator](*plain(96, 4), np.random.default_rng(0))
    assert len(result.shares) == 4
    for share in result.shares:
        assert all(low <= estimate <= high for low, estimate, high in intervals(share))


@pytest.mark.parametrize("estimator", ALL)
def test_pure_noise_names_no_parameter(estimator: str) -> None:
    """Each estimator alone would name one in at most 5 % of studies."""
    named = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        units, axes = rng.random((72, 4)), plain(1, 4)[2]
        named += bool(ALL[estimator](units, rng.normal(size=72), axes, rng).significant_shares)
    assert named <= 1


@pytest.mark.parametrize("estimator", ALL)
def test_the_order_of_columns_names_the_same_parameters(estimator: str) -> None:
    units, targets, axes = plain(96, 4)
    plainly, turned = (
        ALL[estimator](units[:, order], targets, [axes[j] for j in order], np.random.default_rng(0))
        for order in ([0, 1, 2, 3], [2, 3, 1, 0])
    )
    assert [s.path for s in plainly.significant_shares] == ["x0"]
    assert [s.path for s in turned.significant_shares] == ["x0"]


@pytest.mark.parametrize("estimator", ALL)
def test_the_same_generator_gives_the_same_result(estimator: str) -> None:
    data = plain(72, 3)
    first, second = (ALL[estimator](*data, np.random.default_rng(5)) for _ in range(2))
    assert first == second
