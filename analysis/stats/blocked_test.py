"""An exact test of groups within blocks, by Monte Carlo, against a difference of one direction.

In block s, n_sg runs of group g of which x_sg break. Under the null, given the margins of each
block, the x_s are multivariate hypergeometric with mean e_s and covariance C_s.

    D = sum_s (x_s - e_s)        broken runs of each group beyond those expected
    T = D' (sum_s C_s)^+ D       generalised Cochran-Mantel-Haenszel statistic (Landis 1978)

A difference that all blocks share adds up in D, so that many small blocks show it, which a sum of
the blocks' own evidence (`sample_fisher_p_value`) hardly does; differences that cancel do not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.stats.intervals import FloatArray
from analysis.stats.rates import Counts

_SAMPLED_TABLES = 9999
_ROUNDING = 1e-9


def sample_blocked_p_value(tables: Sequence[Counts], rng: np.random.Generator) -> float:
    """P-value that all groups have one rate in each block; 1 without any block that could show it.

    tables: (groups, 2) trained and broken, one table for each block, of the same groups. The null
    distribution of T is sampled, so that the p-value is exact for any counts.
    """
    # A block in which all or none break has one table with its margins and changes nothing.
    tables = [table for table in tables if (table.sum(axis=0) > 0).all()]
    if not tables:
        return 1.0
    groups = len(tables[0])
    observed, covariance = np.zeros(groups), np.zeros((groups, groups))
    sampled = np.zeros((_SAMPLED_TABLES, groups))
    for table in tables:
        totals, broken = table.sum(axis=1), int(table[:, 1].sum())
        expected, of_block = _moments(totals, broken)
        observed += table[:, 1] - expected
        sampled += rng.multivariate_hypergeometric(totals, broken, size=_SAMPLED_TABLES) - expected
        covariance += of_block
    inverse = np.linalg.pinv(covariance, hermitian=True)
    statistic = float(observed @ inverse @ observed)
    statistics = np.einsum("ng,gh,nh->n", sampled, inverse, sampled)
    # The observed table counts as one of the sampled ones.
    as_extreme = int((statistics >= statistic - _ROUNDING * max(statistic, 1.0)).sum())
    return (1 + as_extreme) / (1 + _SAMPLED_TABLES)


def _moments(totals: Counts, broken: int) -> tuple[FloatArray, FloatArray]:
    """Mean (groups,) and covariance (groups, groups) of the broken runs of each group."""
    n = int(totals.sum())
    p = totals / n
    factor = broken * (n - broken) / max(n - 1, 1)
    return broken * p, factor * (np.diag(p) - np.outer(p, p))
