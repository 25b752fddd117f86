"""The interval level and array type shared by all estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


INTERVAL_QUANTILES = (0.025, 0.975)
"""The quantiles of resampled estimates between which an interval lies: 95 %."""
