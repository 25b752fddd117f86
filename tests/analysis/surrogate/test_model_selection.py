"""Surrogates: the forest's quick ways are its own."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.surrogate.base import TrainingData
from analysis.surrogate.forest import Forest, ForestFamily
from analysis.surrogate.unit_cube import Axis, encode_one_hot


def test_forest_prediction_matches_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    axes = [Axis("a", "a"), Axis("b", "b"), Axis("c", "c")]
    units = rng.random((40, len(axes)))
    forest = ForestFamily().fit(TrainingData(axes, units, units.sum(axis=1)), rng)
    assert isinstance(forest, Forest)
    points = rng.random((25, len(axes)))
    (theirs,) = forest.forests
    expected = theirs.predict(encode_one_hot(points, axes))
    assert forest.predict(points)[:, 0] == pytest.approx(expected, rel=1e-12)
