"""The objectives, each with a difficulty of its own, in two halves."""

from __future__ import annotations

import functools

import numpy as np

from analysis.importance.closed_forms import list_benchmark_functions, make_cliff_function
from simulated.objective import NEVER, FloatArray, Function, Half, Objective, constant

_PSNR = 24.0
_EFFECT = 1.5  # standard deviation in dB of `mean` over the space
_NOISE = constant(0.45)  # of the seed: 8 % of the variance

# Continuous parameters, or integers of so many levels that they are as good as continuous.
_CONTINUOUS = (
    "sampling.near=0.5:5",
    "sampling.span=1:8",
    "optimisation.learning_rate",
    "optimisation.decay",
    "field.density_scale",
    "optimisation.density_noise",
    "optimisation.gradient_clip",
    "optimisation.crop_steps",
    "encoding.hash_finest",
    "sampling.fine",
    "optimisation.rays",
    "optimisation.warm_up",
)
_CATEGORIES = (
    "field.hidden_activation",
    "field.density_activation",
    "optimisation.schedule",
    *_CONTINUOUS[2:5],
)
_QUANTISED = (
    "encoding.position_frequencies=4:8",
    "field.depth=2:5",
    "encoding.direction_frequencies=2:4",
    "sampling.jitter",
    "encoding.hash_levels=6:9",
    "encoding.directions",
)


@functools.cache
def list_objectives() -> tuple[Objective, ...]:
    """All objectives."""
    return (
        _make("friedman", "tuned", 7, _friedman),
        _make("three-way", "tuned", 6, lambda u: np.prod(2.0 * u[:, :3] - 1.0, axis=1)),
        _make("heavy tails", "reported", 8, _closed_form("parabolas"), heavy_tails=True),
        _make("cliff", "reported", 12, make_cliff_function().evaluate),
        _make("categories", "tuned", _CATEGORIES, _categories),
        _make("ceiling", "tuned", 6, lambda u: np.minimum(u[:, :3] @ [2.0, 1.0, 0.5], 1.6)),
        _make("silent failures", "tuned", 6, _three_slopes, silent=_silent_corner),
        _make("collapse in a corner", "tuned", 6, _three_slopes, collapse=_collapse_corner),
        _make("correlated design", "reported", _CONTINUOUS[2:7], _two_and_product, foreign=True),
        _make("parabolas", "reported", 8, _closed_form("parabolas")),
        _make_noise("noise", "tuned", heavy_tails=False),
        _make("ridge", "reported", 6, _ridge),
        _make("corner", "tuned", 6, _corner),
        _make("needle", "reported", 5, _needle),
        _make("unequal noise", "tuned", 6, _three_slopes, noise=lambda u: 0.1 + 1.2 * u[:, 1]),
        _make("quantised", "reported", _QUANTISED, _quantised),
        _make("sparse", "tuned", 12, _closed_form("sparse")),
        # Of the variance 60 % is the seed's: 0.6 / 0.4 times that of the mean.
        _make("seeds 60 %", "tuned", 6, _friedman, noise=constant(_EFFECT * 1.5**0.5)),
        _make("near kills", "reported", 6, _three_slopes, collapse=_near_kills),
        _make("weak collapse", "reported", 6, _three_slopes, collapse=_weak_collapse),
        _make("interaction", "reported", 5, _closed_form("interaction")),
        _make_noise("heavy noise", "reported", heavy_tails=True),
    )


def find_objective(name: str) -> Objective:
    return next(objective for objective in list_objectives() if objective.name == name)


def _make(
    name: str,
    half: Half,
    vary: int | tuple[str, ...],
    shape: Function,
    noise: Function = _NOISE,
    collapse: Function = NEVER,
    silent: Function = NEVER,
    heavy_tails: bool = False,
    foreign: bool = False,
) -> Objective:
    """An objective whose mean has the given shape, moved and scaled to 24 +- 1.5 dB.

    vary: `--vary` texts, or the number of continuous parameters
    """
    texts = _CONTINUOUS[:vary] if isinstance(vary, int) else vary
    raw = Objective(name, half, texts, shape, noise)
    values = shape(raw.snap(np.random.default_rng(0).random((2**14, len(texts)))))
    centre, scale = float(values.mean()), _EFFECT / float(values.std())

    def mean(u: FloatArray) -> FloatArray:
        result: FloatArray = _PSNR + scale * (shape(u) - centre)
        return result

    def early(u: FloatArray) -> FloatArray:
        result: FloatArray = 17.0 + 3.0 * u[:, 1]
        return result

    return Objective(name, half, texts, mean, noise, collapse, silent, early, heavy_tails, foreign)


def _make_noise(name: str, half: Half, heavy_tails: bool) -> Objective:
    return Objective(
        name, half, _CONTINUOUS[:8], constant(_PSNR), constant(1.0), heavy_tails=heavy_tails
    )


def _closed_form(name: str) -> Function:
    return next(f.evaluate for f in list_benchmark_functions() if f.name == name)


def _friedman(u: FloatArray) -> FloatArray:
    """Friedman 1991: a product of two axes, a parabola, two slopes; other axes are idle."""
    product = 10.0 * np.sin(np.pi * u[:, 0] * u[:, 1])
    result: FloatArray = product + 20.0 * (u[:, 2] - 0.5) ** 2 + 10.0 * u[:, 3] + 5.0 * u[:, 4]
    return result


def _ridge(u: FloatArray) -> FloatArray:
    """A step along a linear combination: interactions of every order."""
    result: FloatArray = np.tanh(4.0 * (u - 0.5) @ [1.0, 0.8, 0.6, 0.4, 0.2, 0.0])
    return result


def _corner(u: FloatArray) -> FloatArray:
    """Higher where four axes are all beyond an edge."""
    return np.where(np.all(u[:, :4] > [0.3, 0.35, 0.4, 0.4], axis=1), 1.0, 0.0)


def _needle(u: FloatArray) -> FloatArray:
    """A narrow peak over two axes, and a slope."""
    squared = (u[:, 0] - 0.4) ** 2 + (u[:, 1] - 0.6) ** 2
    result: FloatArray = np.exp(-squared / (2.0 * 0.15**2)) + 0.2 * u[:, 2]
    return result


def _three_slopes(u: FloatArray) -> FloatArray:
    """A rise and fall, a parabola and a slope; axes 0, 2 and 3 of six."""
    result: FloatArray = 2.0 * u[:, 0] - 6.0 * (u[:, 2] - 0.6) ** 2 + 1.5 * u[:, 3]
    return result


def _two_and_product(u: FloatArray) -> FloatArray:
    """Two slopes and a product; the axes 3 and 4 are idle."""
    result: FloatArray = 2.0 * u[:, 0] + u[:, 1] + 3.0 * (u[:, 0] - 0.5) * (u[:, 2] - 0.5)
    return result


def _quantised(u: FloatArray) -> FloatArray:
    """Levels only: one with diminishing returns, a product, and a yes or no."""
    result: FloatArray = (
        -np.exp(-3.0 * u[:, 0]) + u[:, 1] * u[:, 2] + 0.3 * (u[:, 3] > 0.5) * u[:, 0]
    )
    return result


def _categories(u: FloatArray) -> FloatArray:
    """Five hidden by five density activations with an interaction; two other axes."""
    hidden, density = ((u[:, j] * 5).astype(int) for j in (0, 1))
    base = np.array([0.0, 0.6, 0.55, -0.8, -0.2])[hidden]
    table = np.random.default_rng(5).normal(scale=0.6, size=(5, 5))
    best_rate = np.array([0.5, 0.6, 0.6, 0.8, 0.3])[hidden]
    schedule = np.array([0.0, 0.15, -0.3])[(u[:, 2] * 3).astype(int)]
    result: FloatArray = base + table[hidden, density] + schedule - 4.0 * (u[:, 3] - best_rate) ** 2
    return result


def _silent_corner(u: FloatArray) -> FloatArray:
    return np.where((u[:, 0] > 0.6) & (u[:, 1] < 0.6), 0.9, 0.02)


def _collapse_corner(u: FloatArray) -> FloatArray:
    return np.where((u[:, 0] > 0.5) & (u[:, 1] > 0.5), 0.95, 0.02)


def _near_kills(u: FloatArray) -> FloatArray:
    return np.where(u[:, 0] > 0.6, 1.0, 0.0)


def _weak_collapse(u: FloatArray) -> FloatArray:
    """Logistic in two axes: 13 to 39 % along the first, less along the second."""
    logit = 1.5 * (u[:, 0] - 0.5) + 1.0 * (u[:, 1] - 0.5) - 1.2
    result: FloatArray = 1.0 / (1.0 + np.exp(-logit))
    return result
