"""Other packages' estimators of importance, each with the question that it answers.

Every estimator gets the axes, the trials as quantiles (n, d), their results (n,) and a seed, and
returns a number for each parameter (d,). Packages are imported where they are used: those that are
not installed are left out (`pip install -e '.[peers]'` installs all).
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

from analysis.surrogate.unit_cube import Axis

FloatArray = NDArray[np.float64]
Estimate = Callable[[Sequence[Axis], FloatArray, FloatArray, int], FloatArray]
Question = Literal["total", "relative", "alone", "best tenth", "sensitivity"]
"""total: the total Sobol' index; all others are relative, with a sum of 1 over the parameters:
relative: of the total indices; alone: of the first-order indices; best tenth: of the divergences of
the best tenth from the prior; sensitivity: of the Shapley values of HyperSHAP's sensitivity game"""

MAX_AXES_OF_SENSITIVITY = 7
"""The game has 2^d coalitions, of which each needs a sample: for more axes it takes minutes."""

_SAMPLE = 1024
_COALITION_SAMPLE = 256
_MAX_BASIS = 400


@dataclass(frozen=True)
class Peer:
    """One estimator; package: the module that it needs."""

    name: str
    package: str
    question: Question
    estimate: Estimate

    @property
    def installed(self) -> bool:
        """Whether its package can be imported."""
        return importlib.util.find_spec(self.package) is not None


def list_peers() -> tuple[Peer, ...]:
    return (
        Peer("scikit-learn process", "sklearn", "total", plain_process),
        Peer("OpenTURNS chaos", "openturns", "total", polynomial_chaos),
        Peer("permutation, forest", "sklearn", "total", permute_forest),
        Peer("OpenTURNS HSIC", "openturns", "relative", hsic),
        Peer("Optuna fANOVA", "optuna", "alone", fanova),
        Peer("Optuna PED-ANOVA", "optuna", "best tenth", ped_anova),
        Peer("HyperSHAP", "hypershap", "sensitivity", hypershap_sensitivity),
    )


def plain_process(
    axes: Sequence[Axis], units: FloatArray, targets: FloatArray, seed: int
) -> FloatArray:
    """Total indices of the mean of a process: Matern 5/2, a length scale for each column."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    columns = _encode(axes, units)
    scales = np.full(columns.shape[1], 0.5)
    kernel = ConstantKernel() * Matern(scales, (0.05, 50.0), nu=2.5)
    kernel += WhiteKernel(0.1, (1e-5, 10.0))
    process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)
    process.fit(columns, targets)
    return total_indices(lambda points: process.predict(_encode(axes, points)), axes, _SAMPLE, seed)


def polynomial_chaos(
    axes: Sequence[Axis], units: FloatArray, targets: FloatArray, seed: int
) -> FloatArray:
    """Total indices of a sparse polynomial chaos: least angle regression, leave-one-out choice.

    Levels without an order are numbers to it.
    """
    import openturns as ot

    ot.Log.Show(ot.Log.NONE)
    d = len(axes)
    enumerate_terms = ot.HyperbolicAnisotropicEnumerateFunction(d, 0.75)
    sizes = []
    while (size := enumerate_terms.getBasisSizeFromTotalDegree(len(sizes) + 1)) <= _MAX_BASIS:
        sizes.append(size)
    uniform = ot.JointDistribution([ot.Uniform(0.0, 1.0)] * d)
    basis = ot.OrthogonalProductPolynomialFactory([ot.LegendreFactory()] * d, enumerate_terms)
    selection = ot.LeastSquaresMetaModelSelectionFactory(ot.LARS(), ot.CorrectedLeaveOneOut())
    for size in reversed(sizes):
        algorithm = ot.FunctionalChaosAlgorithm(
            ot.Sample(units),
            ot.Sample(targets[:, None]),
            uniform,
            ot.FixedStrategy(basis, size),
            ot.LeastSquaresStrategy(selection),
        )
        try:
            algorithm.run()
            break
        except TypeError:  # terms that are equal at all levels of an axis: try a lower degree
            continue
    result = algorithm.getResult()
    # Of an orthonormal basis: parts of the variance are squares of the coefficients.
    squares = np.array(result.getCoefficients())[:, 0] ** 2
    terms = np.array([list(enumerate_terms(i)) for i in result.getIndices()])
    squares[terms.sum(axis=1) == 0] = 0.0
    return np.asarray((terms > 0).T @ squares / max(float(squares.sum()), 1e-12))


def permute_forest(
    axes: Sequence[Axis], units: FloatArray, targets: FloatArray, seed: int
) -> FloatArray:
    """Permutation importance of a random forest: half the rise of its squared error.

    Divided by the variance of its predictions it is the total index of the forest.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    forest = RandomForestRegressor(random_state=seed).fit(units, targets)
    rise = permutation_importance(
        forest, units, targets, scoring="neg_mean_squared_error", n_repeats=5, random_state=seed
    )
    variance = float(forest.predict(units).var())
    return np.asarray(rise["importances_mean"] / (2.0 * variance))


def hsic(axes: Sequence[Axis], units: FloatArray, targets: FloatArray, seed: int) -> FloatArray:
    """R2 indices of the Hilbert-Schmidt independence criterion with Gaussian kernels."""
    import openturns as ot

    x, y = ot.Sample(units), ot.Sample(targets[:, None])
    kernels = []
    for sample in (*(x.getMarginal(j) for j in range(len(axes))), y):
        kernel = ot.SquaredExponential(1)
        kernel.setScale(sample.computeStandardDeviation())
        kernels.append(kernel)
    estimator = ot.HSICEstimatorGlobalSensitivity(kernels, x, y, ot.HSICVStat())
    return np.array(estimator.getR2HSICIndices())


def fanova(axes: Sequence[Axis], units: FloatArray, targets: FloatArray, seed: int) -> FloatArray:
    """First-order parts of the variance of a random forest."""
    return _ask_optuna(FanovaImportanceEvaluator(seed=seed), axes, units, targets)


def ped_anova(
    axes: Sequence[Axis], units: FloatArray, targets: FloatArray, seed: int
) -> FloatArray:
    """What sets the best tenth of the trials apart."""
    return _ask_optuna(PedAnovaImportanceEvaluator(), axes, units, targets)


def hypershap_sensitivity(
    axes: Sequence[Axis], units: FloatArray, targets: FloatArray, seed: int
) -> FloatArray:
    """Shapley values of the variance about the middle of the space, by a random forest."""
    import warnings

    from ConfigSpace import Categorical, Configuration, ConfigurationSpace, Float
    from hypershap import ExplanationTask, HyperSHAP

    space = ConfigurationSpace(seed=seed)
    for axis in axes:
        # The first level of a choice is its default.
        levels = [str(i) for i in range(len(axis.centres))]
        space.add(
            Categorical(axis.path, levels, default=levels[0])
            if axis.unordered
            else Float(axis.path, (0.0, 1.0), default=0.5)
        )
    data = []
    for point, target in zip(units, targets, strict=True):
        values = {
            axis.path: str(axis.centres.index(u)) if axis.unordered else float(u)
            for axis, u in zip(axes, point.tolist(), strict=True)
        }
        data.append((Configuration(space, values=values), float(target)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explainer = HyperSHAP(ExplanationTask.from_data(space, data))
        game = explainer.sensitivity(index="SV", order=1, n_samples=_COALITION_SAMPLE, seed=seed)
    names = list(space.keys())
    shapley = {name: float(game[(names.index(name),)]) for name in names}
    return np.array([shapley[axis.path] for axis in axes])


def shapley_of_variance(
    evaluate: Callable[[FloatArray], FloatArray], axes: Sequence[Axis], sample: int, seed: int
) -> FloatArray:
    """(d,) the same of any function: a coalition is worth the variance along its axes."""
    from math import factorial

    d, rng = len(axes), np.random.default_rng(seed)
    middle = np.array([a.centres[0] if a.unordered else a.snap(np.array([0.5]))[0] for a in axes])
    drawn = snap(axes, rng.random((sample, d)))
    coalitions = (np.arange(2**d)[:, None] >> np.arange(d)) & 1
    points = np.where(coalitions[:, None, :] == 1, drawn[None], middle).reshape(-1, d)
    worth = evaluate(points).reshape(2**d, sample).var(axis=1)
    size = coalitions.sum(axis=1)
    shapley = np.zeros(d)
    for j in range(d):
        without = np.flatnonzero(coalitions[:, j] == 0)
        weights = [factorial(s) * factorial(d - s - 1) / factorial(d) for s in size[without]]
        shapley[j] = np.dot(weights, worth[without + 2**j] - worth[without])
    return shapley


def total_indices(
    evaluate: Callable[[FloatArray], FloatArray], axes: Sequence[Axis], sample: int, seed: int
) -> FloatArray:
    """(d,) total Sobol' indices of a function by Jansen's estimator (1999)."""
    from scipy.stats import qmc

    d = len(axes)
    both = qmc.Sobol(2 * d, rng=seed).random(sample)
    a, b = snap(axes, both[:, :d]), snap(axes, both[:, d:])
    f = evaluate(a)
    indices = []
    for j in range(d):
        changed = a.copy()
        changed[:, j] = b[:, j]
        indices.append(0.5 * float(np.mean((f - evaluate(changed)) ** 2)))
    return np.array(indices) / max(float(f.var()), 1e-12)


def snap(axes: Sequence[Axis], units: FloatArray) -> FloatArray:
    """(points, d) each quantile moved to the centre of its level."""
    return np.column_stack([axis.snap(units[:, j]) for j, axis in enumerate(axes)])


def to_optuna(axes: Sequence[Axis], units: FloatArray, targets: FloatArray) -> optuna.Study:
    """The trials as an Optuna study whose values are quantiles, maximised."""
    distributions: dict[str, optuna.distributions.BaseDistribution] = {}
    for axis in axes:
        if axis.unordered:
            distributions[axis.path] = optuna.distributions.CategoricalDistribution(axis.centres)
        else:
            distributions[axis.path] = optuna.distributions.FloatDistribution(0.0, 1.0)
    optuna.logging.set_verbosity(logging.ERROR)
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=dict(zip(distributions, map(float, point), strict=True)),
                distributions=distributions,
                value=float(target),
            )
            for point, target in zip(units, targets, strict=True)
        ]
    )
    return study


def _ask_optuna(
    evaluator: optuna.importance.BaseImportanceEvaluator,
    axes: Sequence[Axis],
    units: FloatArray,
    targets: FloatArray,
) -> FloatArray:
    study = to_optuna(axes, units, targets)
    shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return np.array([shares[axis.path] for axis in axes])


def _encode(axes: Sequence[Axis], units: FloatArray) -> FloatArray:
    """(n, columns) a column for each ordered axis, and one for each level of the others."""
    columns = []
    for j, axis in enumerate(axes):
        if axis.unordered:
            columns.extend(np.isclose(units[:, j], centre) for centre in axis.centres)
        else:
            columns.append(units[:, j])
    return np.column_stack(columns).astype(float)
