"""How well a Gaussian process predicts trials that it has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.stats.intervals import FloatArray
from analysis.surrogate.gaussian_process import TrainingData, find_mode
from analysis.surrogate.kernel import Smoothness

_FOLDS = 5
_MAX_TRIALS = 256


def random_folds(trials: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """(trials,) a random fold for each trial, five in all."""
    return rng.permutation(trials).astype(np.intp) % _FOLDS


def cross_validate(data: TrainingData, smoothness: Smoothness, rng: np.random.Generator) -> float:
    """Cross-validated R2: 1 is perfect, 0 no better than the mean; negative is worse.

    Each fold is predicted by a process whose hyperparameters were found without it; only the choice
    between two smoothnesses is that of all trials.
    """
    data = data.subset(rng.permutation(len(data.targets))[:_MAX_TRIALS])
    predicted = predict_left_out(data, smoothness)
    return 1.0 - float(np.mean((data.targets - predicted) ** 2) / data.targets.var())


def predict_left_out(data: TrainingData, smoothness: Smoothness) -> FloatArray:
    """(trials,) the prediction of each trial from the other folds."""
    predicted: FloatArray = np.empty(len(data.targets))
    for fold in np.unique(data.folds):
        out = data.folds == fold
        seen = data.subset(~out)
        if np.ptp(seen.targets) == 0:
            predicted[out] = seen.targets.mean()
            continue
        predicted[out] = find_mode(seen, smoothness).condition(seen).predict(data.units[out])
    return predicted


def weighted_r2(targets: FloatArray, predicted: FloatArray, weights: FloatArray) -> float:
    """R2 of predictions under the distribution with these weights, which sum to 1."""
    variance = float(weights @ (targets - float(weights @ targets)) ** 2)
    return 1.0 - float(weights @ (targets - predicted) ** 2) / variance if variance > 0 else 0.0
