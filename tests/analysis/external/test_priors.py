"""Domains estimated from values: scales, steps, grids, choices, and values that fit none."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.external.priors import DomainEstimate, estimate_domain
from analysis.external.sweep import Setting


def uniform(low: float, high: float, count: int, seed: int = 0) -> list[float]:
    return list(np.random.default_rng(seed).uniform(low, high, count).tolist())


def log_uniform(low: float, high: float, count: int, seed: int = 0) -> list[float]:
    return list(np.exp(uniform(np.log(low), np.log(high), count, seed)).tolist())


def range_of(estimate: DomainEstimate) -> tuple[str, float, float, bool, float]:
    d = estimate.dimension
    assert d is not None
    assert not d.choices
    return d.kind, d.low, d.high, d.log, d.step


def test_many_uniform_draws_are_not_logarithmic_however_small_the_smallest() -> None:
    values = uniform(0, 1, 5000)
    estimate = estimate_domain("a", values)
    assert range_of(estimate) == ("float", min(values), max(values), False, 0.0)
    assert estimate.alternative is None
    assert estimate.fits
    assert max(values) / min(values) > 1000


def test_log_uniform_draws_are_logarithmic() -> None:
    estimate = estimate_domain("lr", log_uniform(1e-5, 1e-1, 96))
    assert range_of(estimate)[3]
    assert estimate.alternative is None
    assert estimate.fits


def test_few_values_leave_the_scale_open_and_both_readings_are_returned() -> None:
    estimate = estimate_domain("x", log_uniform(1, 3, 16))
    assert estimate.dimension is not None
    assert estimate.alternative is not None
    assert {estimate.dimension.log, estimate.alternative.log} == {True, False}
    assert "; or uniform in its" in estimate.text
    assert "times less likely" in estimate.text


def test_zero_and_negative_values_exclude_a_logarithm() -> None:
    for low in (0.0, -1.0):
        estimate = estimate_domain("x", [low, *log_uniform(1e-4, 1, 16)])
        assert range_of(estimate)[3] is False
        assert estimate.alternative is None


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("count", [16, 32, 96, 1000])
@pytest.mark.parametrize("ratio", [3, 10, 30, 1000])
def test_scale_is_rarely_wrong_and_settled_by_enough_values(
    ratio: int, count: int, log: bool
) -> None:
    """With n values of high/low = r both readings are needed only where n or r is small."""
    draw = log_uniform if log else uniform
    estimates = [estimate_domain("x", draw(1, ratio, count, seed)) for seed in range(20)]
    settled = [e for e in estimates if e.alternative is None]
    wrong = [e for e in settled if range_of(e)[3] != log]
    assert len(wrong) <= 1  # of 3000 in each cell at most 1 %
    enough = {3: 1000, 10: 96, 30: 96, 1000: 96}[ratio]
    if count >= enough:
        assert len(settled) == 20 if count > 96 else len(settled) >= 17


@pytest.mark.parametrize("numbers", [[0.001, 0.01, 0.03], [16, 32, 128], [2, 4, 8, 12]])
def test_few_recurring_numbers_are_ordered_choices(numbers: list[float]) -> None:
    estimate = estimate_domain("x", np.random.default_rng(0).permutation(numbers * 20).tolist())
    assert estimate.dimension is not None
    assert estimate.dimension.choices == tuple(numbers)
    assert estimate.dimension.kind in ("int", "float")  # so that its levels have an order
    assert estimate.alternative is None
    assert estimate.fits


def test_powers_of_two_are_a_grid_even_if_each_occurs_once() -> None:
    estimate = estimate_domain("batch", [64, 16, 256, 32, 128])
    assert estimate.dimension is not None
    assert estimate.dimension.choices == (16, 32, 64, 128, 256)


def test_whole_numbers_are_an_integer_range_on_either_scale() -> None:
    rng = np.random.default_rng(0)
    assert range_of(estimate_domain("n", rng.integers(1, 9, 96).tolist())) == (
        "int", 1, 8, False, 0.0,
    )  # fmt: skip
    logarithmic = np.round(np.exp(rng.uniform(np.log(7.5), np.log(512.5), 96))).tolist()
    assert range_of(estimate_domain("width", logarithmic))[::3] == ("int", True)


def test_multiples_of_a_step_are_a_stepped_range() -> None:
    rng = np.random.default_rng(0)
    tenths = [round(0.05 * k, 2) for k in rng.integers(0, 41, 60).tolist()]
    assert range_of(estimate_domain("x", tenths)) == ("float", 0.0, 2.0, False, 0.05)
    widths = (32 * rng.integers(1, 33, 40)).tolist()
    assert range_of(estimate_domain("x", widths))[4] == 32


def test_rounded_values_are_no_steps() -> None:
    values = [round(v, 5) for v in uniform(0, 1, 200)]
    assert range_of(estimate_domain("x", values))[4] == 0


def test_whole_numbers_of_a_very_wide_range_are_not_enumerated() -> None:
    assert range_of(estimate_domain("n", [2**31, 5, 77_777, 123_456_789]))[0] == "float"


def test_text_booleans_and_none_are_choices() -> None:
    def choices(values: list[Setting]) -> tuple[str, tuple[object, ...]]:
        dimension = estimate_domain("x", values).dimension
        assert dimension is not None
        return dimension.kind, dimension.choices

    assert choices(["sgd", "adam"] * 9) == ("choice", ("adam", "sgd"))
    assert choices([True, False] * 9) == ("bool", (False, True))
    assert choices([None, "cosine"] * 9) == ("choice", ("None", "cosine"))
    assert choices([None, 5, 10] * 9) == ("choice", ("5", "10", "None"))
    assert choices(["auto", 0.5] * 9) == ("choice", ("0.5", "auto"))
    assert choices([float("inf"), 0.5] * 9) == ("choice", ("0.5", "inf"))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([3, 3, 3], "always 3"),
        ([1, 1.0], "always 1"),
        ([], "no trial has it"),
        ([f"run {i}" for i in range(25)], "25 different values"),
        ([-1e308, 1e308], "too far apart"),
    ],
)
def test_what_cannot_be_a_dimension_says_why(values: list[Setting], reason: str) -> None:
    estimate = estimate_domain("x", values)
    assert estimate.dimension is None
    assert reason in estimate.text


def test_values_of_an_optimiser_do_not_fit_and_leave_the_scale_open() -> None:
    rng = np.random.default_rng(0)
    history = np.exp(np.r_[rng.uniform(-11, -2, 20), rng.normal(-6, 0.2, 180)]).tolist()
    estimate = estimate_domain("lr", history)
    assert not estimate.fits
    assert estimate.alternative is not None
    assert "crowd" in estimate.text


def test_choices_that_occur_unequally_have_weights_as_the_other_reading() -> None:
    estimate = estimate_domain("optimizer", ["adam"] * 80 + ["sgd"] * 20)
    assert not estimate.fits
    assert estimate.alternative is not None
    assert estimate.alternative.weights == (0.8, 0.2)
    assert "80 and 20 times" in estimate.text


def test_fair_draws_seldom_look_crowded() -> None:
    """At a level of 0.001, for ranges and choices alike."""
    crowded = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        crowded += not estimate_domain("x", rng.uniform(0, 1, 50).tolist()).fits
        crowded += not estimate_domain("x", rng.integers(1, 40, 50).tolist()).fits
        crowded += not estimate_domain("x", rng.choice(["a", "b", "c"], 50).tolist()).fits
    assert crowded <= 4


@pytest.mark.parametrize(
    ("numbers", "count"), [((64, 100), 80), ((5, 10, 20, 50), 16), ((10, 30, 100, 300), 24)]
)
def test_a_few_whole_numbers_that_recur_are_a_list(numbers: tuple[int, ...], count: int) -> None:
    estimate = estimate_domain("epochs", [*(numbers * count)[:count]])
    assert estimate.dimension is not None
    assert estimate.dimension.choices == numbers
    assert "crowd" not in estimate.text


def test_draws_of_a_range_of_whole_numbers_are_seldom_a_list() -> None:
    lists = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        for values in (rng.integers(1, 21, 40), np.rint(np.exp(rng.uniform(0, 4, 40)))):
            dimension = estimate_domain("width", [int(v) for v in values]).dimension
            lists += dimension is None or bool(dimension.choices)
    assert lists <= 2


def test_whole_numbers_at_the_end_of_the_floats_are_continuous() -> None:
    kind, low, high, _, step = range_of(estimate_domain("x", uniform(-8e307, 8e307, 64)))
    assert (kind, step) == ("float", 0.0)
    assert low < 0 < high
