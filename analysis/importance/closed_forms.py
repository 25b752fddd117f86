"""Benchmark functions with Sobol' shares in closed form, against which estimators are tested.

Each is a function of quantiles, uniform on the unit cube, as a study's prior is. Functions of the
literature carry their names; the shares of the others follow from variances of independent terms:
Var(c u) = c^2 / 12 for u uniform on [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis


@dataclass(frozen=True)
class BenchmarkFunction:
    """A function of the unit cube and its shares.

    evaluate: (points, axes) -> (points,)
    first, total: each axis's first-order and total Sobol' index, in [0, 1]
    """

    name: str
    axes: tuple[Axis, ...]
    evaluate: Callable[[FloatArray], FloatArray]
    first: tuple[float, ...]
    total: tuple[float, ...]

    def sample_trials(
        self, count: int, noise: float, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """`count` points (count, axes) of a scrambled Sobol' design, and their values (count,).

        noise: standard deviation of added Gaussian noise, as a multiple of the function's own (of
        1 if the function is constant)
        """
        from scipy.stats import qmc

        base = qmc.Sobol(len(self.axes), seed=rng).random_base2(max(count - 1, 1).bit_length())
        units = np.column_stack([a.snap(base[:count, j]) for j, a in enumerate(self.axes)])
        clean = self.evaluate(units)
        return units, clean + noise * (clean.std() or 1.0) * rng.normal(size=count)


def list_benchmark_functions() -> tuple[BenchmarkFunction, ...]:
    """All benchmark functions; the last is constant: with noise, every share is 0."""
    return (
        _ishigami(),
        _sobol_g(),
        _additive(),
        _interaction(),
        _region(),
        _optimum(),
        _switch(),
        _sparse(),
        make_noise_function(),
    )


def make_noise_function(axes: int = 6) -> BenchmarkFunction:
    """The constant 0, so that sampled trials are pure noise."""
    nothing = (0.0,) * axes
    return BenchmarkFunction(
        "noise", _continuous(axes), lambda u: np.zeros(len(u)), nothing, nothing
    )


def make_cliff_function() -> BenchmarkFunction:
    """A slope, a product of two axes and a cliff over two more; seven of twelve axes are idle."""
    slope, product, drop, p, q = 3.0, 4.0, 6.0, 0.3, 0.5

    def evaluate(u: FloatArray) -> FloatArray:
        cliff = (u[:, 4] > 1.0 - p) & (u[:, 5] > 1.0 - q)
        result: FloatArray = 24.0 + slope * u[:, 0] + product * u[:, 2] * u[:, 3] - drop * cliff
        return result

    # u v = 1/4 + (u - 1/2) / 2 + (v - 1/2) / 2 + (u - 1/2) (v - 1/2)
    product_main, product_pair = product**2 / 48.0, product**2 / 144.0
    cliff_4, cliff_5 = drop**2 * q**2 * p * (1 - p), drop**2 * p**2 * q * (1 - q)
    cliff_pair = drop**2 * p * (1 - p) * q * (1 - q)
    alone = [slope**2 / 12.0, 0.0, product_main, product_main, cliff_4, cliff_5] + [0.0] * 6
    pairs = {(2, 3): product_pair, (4, 5): cliff_pair}
    return _from_parts("cliff", _continuous(12), evaluate, alone, pairs)


def _ishigami() -> BenchmarkFunction:
    """Ishigami and Homma 1990, a = 7, b = 0.1: x1 and x3 interact, x2 is periodic."""
    a, b = 7.0, 0.1

    def value(u: FloatArray) -> FloatArray:
        x = np.pi * (2.0 * u - 1.0)
        x1, x2, x3 = x.T
        result: FloatArray = np.sin(x1) + a * np.sin(x2) ** 2 + b * x3**4 * np.sin(x1)
        return result

    v1 = 0.5 * (1.0 + b * np.pi**4 / 5.0) ** 2
    v2 = a**2 / 8.0
    v13 = b**2 * np.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
    return _from_parts("Ishigami", _continuous(3), value, [v1, v2, 0.0], {(0, 2): v13})


def _sobol_g() -> BenchmarkFunction:
    """Sobol' g function with a = (0, 1, 4.5, 9, 99, 99): kinks, and products of all axes."""
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])

    def value(u: FloatArray) -> FloatArray:
        result: FloatArray = np.prod((np.abs(4.0 * u - 2.0) + a) / (1.0 + a), axis=1)
        return result

    parts = 1.0 / 3.0 / (1.0 + a) ** 2
    whole = np.prod(1.0 + parts) - 1.0
    first = parts / whole
    total = parts * np.prod(1.0 + parts) / (1.0 + parts) / whole
    return BenchmarkFunction("Sobol' g", _continuous(6), value, tuple(first), tuple(total))


def _additive() -> BenchmarkFunction:
    """A slope, a step, a choice of four, an integer of eight levels, and an idle axis; additive."""
    effects = np.array([0.0, 1.0, 1.0, 2.5])
    axes = (
        Axis("x0", "slope"),
        Axis("x1", "step"),
        _levels("x2", 4, unordered=True),
        _levels("x3", 8),
        Axis("x4", "idle"),
    )

    def value(u: FloatArray) -> FloatArray:
        chosen = effects[np.minimum((u[:, 2] * 4).astype(int), 3)]
        result: FloatArray = 3.0 * u[:, 0] + 1.5 * (u[:, 1] > 0.5) + chosen + 2.0 * u[:, 3]
        return result

    integer = 4.0 * (1.0 - 1.0 / 64.0) / 12.0
    parts = [9.0 / 12.0, 1.5**2 / 4.0, float(effects.var()), integer, 0.0]
    return _from_parts("additive", axes, value, parts, {})


def _interaction() -> BenchmarkFunction:
    """A product of two centred axes: neither has an effect alone."""

    def value(u: FloatArray) -> FloatArray:
        result: FloatArray = (2.0 * u[:, 0] - 1.0) * (2.0 * u[:, 1] - 1.0)
        return result

    return _from_parts("interaction", _continuous(4), value, [0.0] * 4, {(0, 1): 1.0 / 9.0})


def _region() -> BenchmarkFunction:
    """Training collapses in a corner of two axes; a third one has a slope everywhere."""
    drop, slope, p, q = 12.0, 6.0, 0.35, 0.6

    def value(u: FloatArray) -> FloatArray:
        collapsed = (u[:, 0] < p) & (u[:, 1] < q)
        result: FloatArray = 24.0 + slope * u[:, 2] - drop * collapsed
        return result

    v0, v1 = drop**2 * q**2 * p * (1 - p), drop**2 * p**2 * q * (1 - q)
    v01 = drop**2 * p * (1 - p) * q * (1 - q)
    parts = [v0, v1, slope**2 / 12.0, 0.0]
    return _from_parts("collapse in a region", _continuous(4), value, parts, {(0, 1): v01})


def _optimum() -> BenchmarkFunction:
    """Six parabolas of falling weight and two idle axes, as learning rates and widths act."""
    weights = np.array([8.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.0, 0.0])
    tops = np.array([0.6, 0.3, 0.7, 0.5, 0.2, 0.9, 0.5, 0.5])

    def value(u: FloatArray) -> FloatArray:
        result: FloatArray = 25.0 - ((u - tops) ** 2) @ weights
        return result

    shift = tops - 0.5
    parts = weights**2 * (1.0 / 180.0 + shift**2 / 3.0)
    return _from_parts("parabolas", _continuous(8), value, list(parts), {})


def _switch() -> BenchmarkFunction:
    """A choice of three sets the slope along another axis, which is flat on average."""
    slopes, offsets = np.array([-3.0, 0.0, 3.0]), np.array([0.0, 1.0, 0.5])
    axes = (_levels("x0", 3, unordered=True), Axis("x1", "x1"), Axis("x2", "x2"), Axis("x3", "x3"))

    def value(u: FloatArray) -> FloatArray:
        chosen = np.minimum((u[:, 0] * 3).astype(int), 2)
        result: FloatArray = offsets[chosen] + slopes[chosen] * (u[:, 1] - 0.5) + u[:, 2]
        return result

    parts = [float(offsets.var()), 0.0, 1.0 / 12.0, 0.0]
    pair = float((slopes**2).mean()) / 12.0
    return _from_parts("switch", axes, value, parts, {(0, 1): pair})


def _sparse() -> BenchmarkFunction:
    """Two active axes among twelve, with an interaction."""

    def value(u: FloatArray) -> FloatArray:
        a, b = np.sin(np.pi * (u[:, 0] - 0.5)), 2.0 * u[:, 1] - 1.0
        result: FloatArray = 2.0 * a + b + a * b
        return result

    parts = [2.0, 1.0 / 3.0] + [0.0] * 10
    return _from_parts("sparse", _continuous(12), value, parts, {(0, 1): 1.0 / 6.0})


def _from_parts(
    name: str,
    axes: tuple[Axis, ...],
    evaluate: Callable[[FloatArray], FloatArray],
    alone: Sequence[float],
    pairs: dict[tuple[int, int], float],
) -> BenchmarkFunction:
    """The function of which each axis and each pair of axes contributes this variance."""
    whole = sum(alone) + sum(pairs.values())
    total = [
        part + sum(v for pair, v in pairs.items() if j in pair) for j, part in enumerate(alone)
    ]
    return BenchmarkFunction(
        name, axes, evaluate, tuple(v / whole for v in alone), tuple(v / whole for v in total)
    )


def _continuous(count: int) -> tuple[Axis, ...]:
    return tuple(Axis(f"x{j}", f"x{j}") for j in range(count))


def _levels(name: str, count: int, unordered: bool = False) -> Axis:
    centres = tuple((i + 0.5) / count for i in range(count))
    return Axis(name, name, centres, tuple(i / count for i in range(1, count)), unordered)
