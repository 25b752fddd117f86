"""Which parameters move the final PSNR: Sobol' shares of a surrogate, each with its interval.

Fitted to equal-budget explore trials only, under the study's declared prior; with a bootstrap
interval, a null line from permuted targets, and a refusal where the surrogate predicts badly.
Sobol' indices: Saltelli et al., Computer Physics Communications 181, 2010, through SALib.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from analysis import surrogates
from analysis.axes import Axis, Floats
from analysis.surrogates import Family

GATE = 0.3
"""Cross-validated R2 below which nothing is ranked."""

FEWEST = 8
"""Trials below which not even a surrogate is tried."""

_BASE_SAMPLES = 1024
_REPLICATES = 100
_PERMUTATIONS = 40
_PERMUTED_TRIALS = 160


@dataclass(frozen=True)
class Share:
    """One parameter's part of the variance of PSNR over the prior, between 0 and 1.

    first: what it moves alone; total: what it moves alone and together with others.
    low, high: 95 % interval; null: what 95 % of permutations stay below, for `total`.
    """

    path: str
    label: str
    first: float
    first_low: float
    first_high: float
    total: float
    total_low: float
    total_high: float
    null: float

    @property
    def beyond_chance(self) -> bool:
        return self.total > self.null


@dataclass(frozen=True)
class Importance:
    """What could be said about which parameters matter, and how sure it is.

    shares: highest total first; empty where not even a surrogate could be fitted
    r2: cross-validated, for each surrogate tried; `surrogate` names the one used
    refusal: why nothing is ranked; empty where the ranking stands
    """

    shares: tuple[Share, ...]
    trials: int
    surrogate: str
    r2: dict[str, float]
    refusal: str

    @property
    def ranked(self) -> bool:
        return not self.refusal

    @property
    def best_r2(self) -> float:
        return self.r2.get(self.surrogate, float("nan"))

    def table(self) -> pd.DataFrame:
        """A row a parameter: `Share`'s columns and whether it is beyond chance."""
        rows = [{**asdict(s), "beyond_chance": s.beyond_chance} for s in self.shares]
        return pd.DataFrame(rows)

    def headline(self, count: int = 3) -> str:
        """The most important parameters with their intervals in one sentence, or the refusal."""
        if self.refusal:
            return f"No ranking: {self.refusal}"
        named = [share for share in self.shares if share.beyond_chance][:count]
        if not named:
            return "No parameter moves the final PSNR more than chance would."
        shares = "; ".join(
            f"{s.label} {s.total:.0%} [{s.total_low:.0%}, {s.total_high:.0%}]" for s in named
        )
        return f"What moves the final PSNR most (share of its variance): {shares}."


def variance_shares(
    units: Floats, targets: Floats, axes: Sequence[Axis], rng: np.random.Generator
) -> Importance:
    """Sobol' shares of `targets` over the unit cube.

    units: (trials, axes) quantiles of the prior; targets: (trials,), finite.
    """
    n, d = units.shape
    if n < FEWEST or d == 0:
        return Importance((), n, "", {}, _too_few(n, d))
    if np.ptp(targets) <= 1e-9 * max(1.0, float(np.abs(targets).max())):
        return Importance((), n, "", {}, f"all {n} comparable trials ended with the same PSNR.")
    choice = surrogates.choose(units, targets, axes, rng)
    design = _design(axes, rng)
    fitted = choice.family.fit(units, targets, axes, rng, False)
    first, total, explained = _indices(fitted.predict(design)[:, None], d)
    draws_first, draws_total, _ = _indices(fitted.replicates(design, _REPLICATES, rng), d)
    null = _null(choice.family, units, targets, axes, design, rng)
    low_f, high_f = np.quantile(draws_first, (0.025, 0.975), axis=1)
    low_t, high_t = np.quantile(draws_total, (0.025, 0.975), axis=1)
    scale = max(float(explained[0]) / float(targets.var()), 1e-9)
    shares = [
        Share(
            a.path, a.label,
            first=float(first[j, 0]), first_low=float(low_f[j]), first_high=float(high_f[j]),
            total=float(total[j, 0]), total_low=float(low_t[j]), total_high=float(high_t[j]),
            null=min(float(null[j]) / scale, 1.0),
        )
        for j, a in enumerate(axes)
    ]  # fmt: skip
    shares.sort(key=lambda share: share.total, reverse=True)
    refusal = "" if choice.best_r2 >= GATE else _too_vague(n, d, choice.best_r2)
    return Importance(tuple(shares), n, choice.family.name, dict(choice.r2), refusal)


def _too_few(trials: int, parameters: int) -> str:
    return (
        f"{trials} comparable trials are too few to tell {parameters} parameters apart; "
        f"{max(24, 4 * parameters)} explored ones might do."
    )


def _too_vague(trials: int, parameters: int, r2: float) -> str:
    more = max(2 * trials, 8 * parameters)
    return (
        f"from {trials} trials no surrogate predicts the others well (cross-validated R² "
        f"{r2:.2f}, {GATE} is needed); around {more} explored trials might be enough."
    )


def _design(axes: Sequence[Axis], rng: np.random.Generator) -> Floats:
    """(samples, axes): Saltelli's design over the prior, discrete axes by their inverse CDF."""
    from SALib.sample import sobol

    problem = {
        "num_vars": len(axes),
        "names": [a.path for a in axes],
        "bounds": [[0, 1]] * len(axes),
    }
    points = sobol.sample(problem, _BASE_SAMPLES, calc_second_order=False, seed=rng)
    return np.column_stack([a.snap(points[:, j]) for j, a in enumerate(axes)])


def _indices(outputs: Floats, axes: int) -> tuple[Floats, Floats, Floats]:
    """First and total order (axes, replicates), and variance (replicates,), of a design's outputs.

    outputs: (samples of the design, replicates)
    """
    from SALib.analyze import sobol

    centred = outputs - outputs.mean(axis=0)
    a, *mixed, b = np.split(centred.reshape(-1, axes + 2, outputs.shape[1]), axes + 2, axis=1)
    variance = np.concatenate([a, b]).var(axis=(0, 1))
    if not variance.any():
        nothing = np.zeros((axes, outputs.shape[1]))
        return nothing, nothing, variance
    first = np.array([sobol.first_order(a[:, 0], ab[:, 0], b[:, 0]) for ab in mixed])
    total = np.array([sobol.total_order(a[:, 0], ab[:, 0], b[:, 0]) for ab in mixed])
    return np.clip(first, 0.0, 1.0), total, variance


def _null(
    family: Family,
    units: Floats,
    targets: Floats,
    axes: Sequence[Axis],
    design: Floats,
    rng: np.random.Generator,
) -> Floats:
    """(axes,) the share of the *observed* variance that a parameter gets from shuffled targets.

    The 95 % quantile over permutations of total index x explained variance: a flexible surrogate
    finds something in noise, and this is how much. At most `_PERMUTED_TRIALS` trials are shuffled,
    which errs on the cautious side.
    """
    kept = rng.permutation(len(targets))[:_PERMUTED_TRIALS]
    found = []
    for _ in range(_PERMUTATIONS):
        shuffled = rng.permutation(targets[kept])
        fitted = family.fit(units[kept], shuffled, axes, rng, True)
        _, total, explained = _indices(fitted.predict(design)[:, None], len(axes))
        found.append(total[:, 0] * explained[0] / shuffled.var())
    return np.asarray(np.quantile(found, 0.95, axis=0), dtype=float)
