"""The level of intervals and tests, and the array type of all estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SIGNIFICANCE_LEVEL = 0.05
"""The corrected p-value below which a difference or an effect is significant."""

INTERVAL_QUANTILES = (0.025, 0.975)
"""Quantiles of bootstrap samples or posterior draws at the ends of a 95 % interval."""
