"""Lack of fit: does a surrogate leave more unexplained than seeds do?"""

from __future__ import annotations


def lack_of_fit(residual_ss: float, residual_df: float, pure_ss: float, pure_df: float) -> float:
    """P-value of the F test that a surrogate's residuals are no larger than the seeds' spread.

    A small one says that the parameters do something that the surrogate misses. 1 where either side
    has no degrees of freedom.

    The test takes the spread between seeds as one and the same everywhere. Where it differs, true
    fits are rejected more often than in 5 %: in 12 to 17 % if the log deviations of configurations
    have a spread of 0.5, in 35 to 37 % if it is 1 (`benchmarks/replicate_intervals.py`). Claim lack
    of fit from p < 0.001 on, or where other evidence points there as well.

    Args:
        residual_ss: sum of squared residuals over the fitted runs, dB^2.
        residual_df: their degrees of freedom: runs less the effective parameters of the surrogate.
            With residuals of cross-validation, the number of runs.
        pure_ss: sum of squared deviations from the mean of each configuration that was run again,
            dB^2; independent of the residuals if these are of other runs.
        pure_df: runs of these configurations less their number.
    """
    from scipy.stats import f

    if residual_df <= 0 or pure_df <= 0:
        return 1.0
    if pure_ss <= 0:
        return 1.0 if residual_ss <= 0 else 0.0
    # Under the null both mean squares estimate the same variance.
    ratio = (residual_ss / residual_df) / (pure_ss / pure_df)
    return float(f.sf(ratio, residual_df, pure_df))
