"""What is true of an objective, by brute force.

y: PSNR of a run that trains; x: its parameters, distributed as those of the runs that train, which
is the prior weighted by the probability of training, so that inputs may depend on one another;
f(x) = E[y | x]; V = Var(y), seeds included.

    alone of j       Var(E[y | x_j]) / V
    share of j       E[Var(f | x_-j)] / V
    unexplained      E[Var(y | x)] / V
    interaction jk   (Var(E[y | x_j, x_k]) - Var(E[y | x_j]) - Var(E[y | x_k])) / V
    effect of j      E[y | x_j], as a curve

Shares of breaking are those of "breaks: 1 or 0" under the prior, and shares with failures those of
the last PSNR of runs of any outcome, also under the prior.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import qmc, spearmanr

from nerf.config.parameters import Value
from simulated.objective import (
    COLLAPSED_PSNR,
    SILENT_PSNR,
    FloatArray,
    Objective,
    early_weight,
    evaluation_steps,
)
from simulated.objectives import find_objective
from simulated.value_sets import ValueSet

_SAMPLE = 2**15
_PROFILE_SAMPLE = 2**11
_PROFILE_CELLS = 128
_PAIR_SAMPLE = 2**9
_PAIR_CELLS = 20
_TOP = 0.1
_TOP_CELLS = 16


@functools.cache
def find_truth(name: str) -> Truth:
    """The truth of an objective by its name; computed once in a process."""
    return Truth(find_objective(name))


class Profile:
    """Every function of the objective along one axis, the others at a sample of the prior.

    grid: (m,) quantiles; chances: (m,) their probabilities under the prior
    mean, early: (n, m) PSNR in dB of runs that train; last: of runs of any outcome
    trains, breaks: (n, m) probabilities
    """

    def __init__(self, objective: Objective, axis: int) -> None:
        self.grid, self.chances = objective.axes[axis].grid(_PROFILE_CELLS)
        others = _sobol(objective, _PROFILE_SAMPLE)
        shape = (len(others), len(self.grid))
        points = np.repeat(others[:, None], len(self.grid), axis=1)
        points[:, :, axis] = self.grid
        flat = points.reshape(-1, others.shape[1])
        self.mean = objective.mean(flat).reshape(shape)
        self.early = objective.early(flat).reshape(shape)
        self.breaks = objective.breaks(flat).reshape(shape)
        self.last = _last_psnr(objective, flat).reshape(shape)
        self.trains = 1.0 - self.breaks

    def variances(self, values: FloatArray, weights: FloatArray) -> tuple[float, float]:
        """Var(E[v | x_j]) and E[Var(v | x_-j)] under weighted points."""
        w = weights * self.chances
        rows = np.maximum(w.sum(axis=1), 1e-300)
        means = (w * values).sum(axis=1) / rows
        within = (w * (values - means[:, None]) ** 2).sum() / w.sum()
        columns = w.sum(axis=0)
        conditional = (w * values).sum(axis=0) / np.maximum(columns, 1e-300)
        return _variance(conditional, columns), float(within)

    def curve(self) -> FloatArray:
        """(m,) E[y | x_j] in dB; NaN where no run trains."""
        weights = self.trains.sum(axis=0)
        sums = (self.trains * self.mean).sum(axis=0)
        return np.where(weights > 1e-9, sums / np.maximum(weights, 1e-300), np.nan)


class Truth:
    """Shares, effects and rates of one objective; each computed when it is first needed."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.units = _sobol(objective, _SAMPLE)
        self.mean = objective.mean(self.units)
        self.breaks = objective.breaks(self.units)
        self.trains = 1.0 - self.breaks
        self.noise_variance = _mean(objective.noise(self.units) ** 2, self.trains)
        self.variance = _variance(self.mean, self.trains) + self.noise_variance
        self._profiles: dict[str, Profile] = {}
        self._pairs: dict[frozenset[str], float] = {}

    # Shares of the variance of PSNR among runs that train

    def alone(self, path: str) -> float:
        return self._of_mean(path)[0] / self.variance

    def share(self, path: str) -> float:
        """Alone and in interactions."""
        return self._of_mean(path)[1] / self.variance

    @property
    def unexplained(self) -> float:
        return self.noise_variance / self.variance

    @property
    def all_alone(self) -> float:
        """All parameters, each alone."""
        return sum(self.alone(path) for path in self.objective.paths)

    def interaction(self, first: str, second: str) -> float:
        key = frozenset((first, second))
        if key not in self._pairs:
            self._pairs[key] = self._pair_variance(first, second) / self.variance
        return self._pairs[key]

    def settled_from(self, margin: float) -> int:
        """The first step from which no share differs from the final one by more than `margin`."""
        steps = evaluation_steps()
        final = np.array(self._shares_at(steps[-1]))
        settled = steps[-1]
        for step in reversed(steps):
            if np.abs(np.array(self._shares_at(step)) - final).max() > margin:
                break
            settled = step
        return settled

    def rank_correlation(self, step: int) -> float:
        """Spearman's correlation of PSNR at a step with the final one, over runs that train."""
        units, final = self._trained_runs
        weight = early_weight(_nearest_step(step))
        early = weight * self.objective.early(units) + (1.0 - weight) * final
        return 0.0 if np.ptp(early) == 0 else float(spearmanr(early, final).statistic)

    # Shares of other results, under the prior

    def share_with_failures(self, path: str) -> float:
        profile = self.profile(path)
        within = profile.variances(profile.last, np.ones_like(profile.last))[1]
        return within / self._variance_with_failures

    # Effects

    def profile(self, path: str) -> Profile:
        if path not in self._profiles:
            self._profiles[path] = Profile(self.objective, self.objective.paths.index(path))
        return self._profiles[path]

    def losses(self, path: str) -> FloatArray:
        """(m,) dB below the best value of E[y | x_j]; infinite where no run trains."""
        curve = self.profile(path).curve()
        return np.where(np.isnan(curve), np.inf, np.nanmax(curve) - curve)

    def has_effect(self, path: str, least: float = 1e-4) -> bool:
        """Whether PSNR depends on the parameter, alone or in interactions."""
        return max(self.alone(path), self.share(path)) > least

    def divergence_of_top(self, path: str) -> float:
        """Pearson divergence of the best tenth of the runs that train, from all that train."""
        units, psnr = self._trained_runs
        column = units[:, self.objective.paths.index(path)]
        grid, _ = self.objective.axes[self.objective.paths.index(path)].grid(_TOP_CELLS)
        edges = (grid[1:] + grid[:-1]) / 2.0
        cells = np.searchsorted(edges, column)
        best = psnr >= np.quantile(psnr, 1.0 - _TOP)
        whole = np.bincount(cells, minlength=len(grid)) / len(cells)
        top = np.bincount(cells[best], minlength=len(grid)) / best.sum()
        seen = whole > 0
        return float((whole[seen] * (top[seen] / whole[seen] - 1.0) ** 2).sum())

    # Rates and single configurations

    def rate(self, sets: Sequence[ValueSet]) -> float | None:
        """Probability that a run breaks with these values; None where no point has them."""
        inside = np.ones(len(self.units), dtype=bool)
        for values in sets:
            j = self.objective.paths.index(values.path)
            inside &= values.select(self.objective.dimensions[j], self.units[:, j])
        return float(self.breaks[inside].mean()) if inside.any() else None

    def rates(self, path: str, bins: int = 4) -> list[float]:
        """Probability of breaking with each choice, or in each of equally likely ranges."""
        j = self.objective.paths.index(path)
        count = len(self.objective.dimensions[j].choices) or bins
        cells = np.minimum((self.units[:, j] * count).astype(int), count - 1)
        return [float(self.breaks[cells == i].mean()) for i in range(count) if (cells == i).any()]

    def units_of(self, values: Mapping[str, Value]) -> FloatArray:
        """(1, axes) the quantiles of a configuration."""
        return np.array([[d.to_unit(values[d.path]) for d in self.objective.dimensions]])

    def mean_of(self, values: Mapping[str, Value]) -> float:
        """PSNR in dB of a configuration, over the seeds with which it trains."""
        return float(self.objective.mean(self.units_of(values))[0])

    @property
    def typical_seed_sd(self) -> float:
        """Median over configurations of the standard deviation between seeds, in dB.

        Weighted by how often a configuration trains.
        """
        deviations = self.objective.noise(self.units)
        order = np.argsort(deviations)
        below = np.cumsum(self.trains[order]) / self.trains.sum()
        return float(deviations[order][np.searchsorted(below, 0.5)])

    def _of_mean(self, path: str) -> tuple[float, float]:
        profile = self.profile(path)
        return profile.variances(profile.mean, profile.trains)

    @functools.cache  # noqa: B019  (one object per objective lives as long as the process)
    def _shares_at(self, step: int) -> tuple[float, ...]:
        weight = early_weight(_nearest_step(step))
        final = 1.0 - weight
        values = weight * self.objective.early(self.units) + final * self.mean
        variance = _variance(values, self.trains) + final**2 * self.noise_variance
        shares = []
        for path in self.objective.paths:
            profile = self.profile(path)
            mixed = weight * profile.early + final * profile.mean
            shares.append(profile.variances(mixed, profile.trains)[1] / variance)
        return tuple(shares)

    @functools.cached_property
    def _variance_with_failures(self) -> float:
        # Var(last) = Var(E[last | x]) + E[Var(last | x)], the latter of three outcomes.
        objective = self.objective
        collapse = objective.collapse(self.units)
        silent = (1.0 - collapse) * objective.silent(self.units)
        square = (
            self.trains * (self.mean**2 + objective.noise(self.units) ** 2)
            + collapse * COLLAPSED_PSNR**2
            + silent * SILENT_PSNR**2
        )
        return float(square.mean() - _last_psnr(objective, self.units).mean() ** 2)

    @functools.cached_property
    def _trained_runs(self) -> tuple[FloatArray, FloatArray]:
        """Points and PSNR of runs that train, one seed each."""
        rng = np.random.default_rng(0)
        units = np.repeat(self.units, 4, axis=0)
        trained = units[rng.random(len(units)) < np.repeat(self.trains, 4)]
        return trained, self.objective.mean(trained) + self.objective.draw_noise(trained, rng)

    def _pair_variance(self, first: str, second: str) -> float:
        """Var(E[y | x_j, x_k]) - Var(E[y | x_j]) - Var(E[y | x_k])."""
        objective = self.objective
        j, k = (objective.paths.index(path) for path in (first, second))
        (x, p), (y, q) = (objective.axes[i].grid(_PAIR_CELLS) for i in (j, k))
        others = _sobol(objective, _PAIR_SAMPLE)
        points = np.repeat(others[:, None], len(x) * len(y), axis=1)
        points[:, :, j], points[:, :, k] = np.repeat(x, len(y)), np.tile(y, len(x))
        flat = points.reshape(-1, others.shape[1])
        shape = (len(others), len(x), len(y))
        weights = (1.0 - objective.breaks(flat)).reshape(shape) * (p[:, None] * q)
        values = objective.mean(flat).reshape(shape)

        def explained(axes: tuple[int, ...]) -> float:
            total = weights.sum(axis=axes)
            means = (weights * values).sum(axis=axes) / np.maximum(total, 1e-300)
            return _variance(means, total)

        return explained((0,)) - explained((0, 2)) - explained((0, 1))


def _sobol(objective: Objective, count: int) -> FloatArray:
    sequence = qmc.Sobol(len(objective.axes), rng=np.random.default_rng(1))
    return objective.snap(sequence.random(count))


def _last_psnr(objective: Objective, units: FloatArray) -> FloatArray:
    """(points,) mean PSNR of runs of any outcome, at their last step."""
    collapse, silent = objective.collapse(units), objective.silent(units)
    completed = silent * SILENT_PSNR + (1.0 - silent) * objective.mean(units)
    return collapse * COLLAPSED_PSNR + (1.0 - collapse) * completed


def _mean(values: FloatArray, weights: FloatArray) -> float:
    return float((weights * values).sum() / weights.sum())


def _variance(values: FloatArray, weights: FloatArray) -> float:
    return _mean((values - _mean(values, weights)) ** 2, weights)


def _nearest_step(step: int) -> int:
    return min(evaluation_steps(), key=lambda known: abs(known - step))
