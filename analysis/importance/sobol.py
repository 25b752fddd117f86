"""Sobol' analysis: each parameter's part of the variance of a result, with intervals.

The parts come from posterior draws of a Gaussian process over the search space. Draws vary in what
the trials leave open: the function between trials, how rough it is, and how much is noise. Where
the process predicts unseen trials badly, or misses much that is not the seeds', nothing is ranked.
Trials must share one budget (`data/selection.py`). Those that were not drawn from the prior, such
as an optimiser's, serve as well: what the process knows of the space follows from where they lie
and what came out, not from why they lie there. But its predictions must then be good all over the
space, not only where trials abound (`design_weights.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.importance.design_weights import DesignWeights, weigh_by_nearest
from analysis.importance.shares import Importance
from analysis.importance.summarize_draws import summarize_draws
from analysis.stats.intervals import FloatArray
from analysis.stats.lack_of_fit import lack_of_fit
from analysis.stats.p_values import format_p_value
from analysis.surrogate.gaussian_process import (
    FULL,
    Effort,
    GaussianProcess,
    TrainingData,
    fit_gaussian_process,
)
from analysis.surrogate.posterior_draws import PosteriorSample, draw_posterior
from analysis.surrogate.unit_cube import Axis
from analysis.surrogate.validation import (
    cross_validate,
    predict_left_out,
    random_folds,
    weighted_r2,
)

MIN_TRIALS_FOR_SOBOL = 32
"""Trials below which no surrogate is fitted; 12 for each parameter do as well."""

_MAX_P_OF_LACK_OF_FIT = 0.001
_TOLERATED_LACK = 0.15  # of the variance, by what the surrogate misses beside the seeds


@dataclass(frozen=True)
class PureError:
    """Spread of repeated configurations: sum of squares about their means and its degrees of
    freedom.
    """

    squares: float
    freedom: int


@dataclass(frozen=True)
class FittedSurrogate:
    """A process and its posterior draws."""

    process: GaussianProcess
    sample: PosteriorSample


@dataclass(frozen=True)
class SobolAnalysis:
    """An importance and the surrogate behind it; None where none could be fitted."""

    importance: Importance
    model: FittedSurrogate | None = None


def min_r2(trials: int) -> float:
    """Cross-validated R2 below which nothing is ranked.

    Below a quarter most of the variance is unexplained. With few trials a low R2 is the mark of a
    function that they do not resolve, such as a corner of three axes from 48, and shares of what is
    left miss the truth.
    """
    return max(0.25, 3.4 / float(np.sqrt(trials)))


def min_weighted_r2(effective: float) -> float:
    """Cross-validated R2 over the space below which nothing is ranked from uneven trials.

    effective: their effective sample size. Chosen on the tuned half of the objectives of
    benchmarks/foreign_designs.py.
    """
    return max(0.25, 2.4 / float(np.sqrt(effective)))


def estimate_sobol_shares(
    units: FloatArray,
    targets: FloatArray,
    axes: Sequence[Axis],
    rng: np.random.Generator,
    folds: NDArray[np.intp] | None = None,
    pure_error: PureError | None = None,
    effort: Effort = FULL,
    is_even: bool = True,
) -> SobolAnalysis:
    """Parts of the variance of a result over the search space, alone and with interactions.

    Args:
        units: (trials, axes) quantiles of each trial's values under the prior, in [0, 1].
        targets: (trials,) results, such as PSNR in dB; trials that are not finite are left out.
        axes: the parameters, in the order of the columns of `units`.
        rng: draws folds, hyperparameters and functions; the same state gives the same result.
        folds: (trials,) the fold of each trial in cross-validation; random ones if not given.
        pure_error: of repeated configurations, to test whether the surrogate misses something.
        effort: how much work to spend.
        is_even: the trials were drawn from the prior.

    Returns:
        An analysis whose `importance` has a share with its interval for each parameter, or a
        `refusal`; `model` is the fitted surrogate. Of too few or equal results nothing is fitted.

    Example:
        >>> axes = [make_axis(d) for d in study.space.dimensions]
        >>> units = to_quantiles(trials, study.space.dimensions)
        >>> analysis = estimate_sobol_shares(units, trials["score"].to_numpy(), axes, rng)
        >>> [(s.path, s.share, s.share_low, s.share_high) for s in analysis.importance.shares]
    """
    finite = np.isfinite(targets)
    n, d = int(finite.sum()), len(axes)
    if d == 0:
        return _refuse(n, "no parameter varies.")
    if n < min(MIN_TRIALS_FOR_SOBOL, 12 * d):
        return _refuse(n, _describe_too_few(n, d))
    folds = random_folds(len(targets), rng) if folds is None else folds
    data = TrainingData(axes, units, targets, folds).subset(finite)
    # Equal but for rounding errors, as when every trial renders the same black image.
    if np.ptp(data.targets) <= 1e-9 * max(1.0, float(np.abs(data.targets).max())):
        return _refuse(n, f"all {n} runs ended with the same result.")
    if is_even:
        return _fit_even(data, rng, effort, pure_error)
    return _fit_uneven(data, rng, effort)


def _fit_even(
    data: TrainingData, rng: np.random.Generator, effort: Effort, pure_error: PureError | None
) -> SobolAnalysis:
    """The analysis of trials that were drawn from the prior."""
    process = fit_gaussian_process(data, rng, effort)
    sample = draw_posterior(process, rng, effort.pairs)
    r2 = cross_validate(data, process.smoothness, rng)
    refusal = _reason_to_refuse(r2, float(sample.variances.unexplained.mean()), data, pure_error)
    importance = summarize_draws(sample.variances, data.axes, len(data.targets), r2, refusal)
    return SobolAnalysis(importance, FittedSurrogate(process, sample))


def _fit_uneven(data: TrainingData, rng: np.random.Generator, effort: Effort) -> SobolAnalysis:
    """The analysis of trials that were not, from those that represent most of the space."""
    weights = weigh_by_nearest(data.units, data.axes)
    used = data.subset(weights.rows)
    process = fit_gaussian_process(used, rng, effort)
    sample = draw_posterior(process, rng, effort.pairs)
    n = len(data.targets)
    r2, refusal = _validate_uneven(used, process, weights, n)
    importance = summarize_draws(sample.variances, data.axes, n, r2, refusal)
    importance = replace(importance, effective=weights.effective)
    return SobolAnalysis(importance, FittedSurrogate(process, sample))


def _refuse(trials: int, reason: str) -> SobolAnalysis:
    return SobolAnalysis(Importance((), (), None, None, trials, float("nan"), reason))


def _describe_too_few(trials: int, parameters: int) -> str:
    runs = "1 run is" if trials == 1 else f"{trials} runs are"
    if parameters == 1:
        return f"{runs} too few to tell the effect of a parameter from noise."
    return f"{runs} too few to tell {parameters} parameters apart."


def _reason_to_refuse(
    r2: float, unexplained: float, data: TrainingData, pure_error: PureError | None
) -> str:
    n = len(data.targets)
    if r2 < min_r2(n):
        return _describe_low_r2(f"these {n}", r2, min_r2(n))
    if pure_error is None or pure_error.freedom == 0:
        return ""
    # What the process takes for noise should be no more than repeated runs differ by.
    variance = float(data.targets.var())
    p = lack_of_fit(unexplained * variance * n, n, pure_error.squares, pure_error.freedom)
    missed = unexplained - pure_error.squares / pure_error.freedom / variance
    if p < _MAX_P_OF_LACK_OF_FIT and missed > _TOLERATED_LACK:
        return (
            f"a surrogate of these {n} runs misses about {missed:.0%} of the variance, which "
            "differences between repeats of a configuration do not explain either (F test of lack "
            f"of fit, {format_p_value(p, 1)})."
        )
    return ""


def _describe_low_r2(which: str, r2: float, needed: float) -> str:
    return (
        f"no surrogate of {which} runs predicts unseen ones well (cross-validated R² "
        f"{r2:.2f}, {needed:.2f} is needed)."
    )


def _validate_uneven(
    data: TrainingData, process: GaussianProcess, weights: DesignWeights, trials: int
) -> tuple[float, str]:
    """Cross-validated R2 over the space, and why it does not do; empty if it does.

    The R2 among trials as they lie must do as well.
    """
    predicted = predict_left_out(data, process.smoothness)
    n, over_space = len(data.targets), weighted_r2(data.targets, predicted, weights.weights)
    among_trials = weighted_r2(data.targets, predicted, np.full(n, 1.0 / n))
    if among_trials < min_r2(n):
        which = f"these {n}" if n == trials else f"{n} of these {trials}"
        return over_space, _describe_low_r2(which, among_trials, min_r2(n))
    needed = min_weighted_r2(weights.effective)
    if over_space >= needed:
        return over_space, ""
    return over_space, (
        f"these {trials} runs are not spread evenly; for the whole space they stand as "
        f"{weights.effective:.0f} that were, and no surrogate of them predicts it well "
        f"(cross-validated R² over the space {over_space:.2f}, {needed:.2f} is needed)."
    )
