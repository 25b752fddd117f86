"""What a study of so many explored trials will be able to tell, before it runs.

Measured on 18 simulated studies whose shares are known, of 6 or 7 parameters and with 8 % of the
variance by seeds: `python benchmarks/until_sure.py --objectives friedman three-way categories
--studies 6 --full 6` prints the table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.importance.sobol import MIN_TRIALS_FOR_SOBOL


@dataclass(frozen=True)
class Power:
    """What so many explored trials that train tell.

    ranked: part of the studies whose parameters are ranked at all
    half_width: median of the widest half-width of the three highest shares, where they are ranked
    smallest: share that is significant in 80 % of the studies that are ranked
    """

    trials: int
    ranked: float
    half_width: float
    smallest: float


TABLE = (
    Power(32, 0.61, 0.19, 0.33),
    Power(48, 0.89, 0.14, 0.18),
    Power(64, 1.0, 0.12, 0.14),
    Power(80, 1.0, 0.10, 0.085),
    Power(96, 1.0, 0.086, 0.055),
    Power(112, 1.0, 0.077, 0.048),
    Power(128, 1.0, 0.074, 0.048),
)


def describe_power(trials: int) -> list[str]:
    """What a study will be able to tell, in lines; trials: explored ones."""
    if trials < MIN_TRIALS_FOR_SOBOL:
        return [
            f"power: {trials} explored trials are too few to rank parameters "
            f"({MIN_TRIALS_FOR_SOBOL} are needed, or 12 per parameter where that is fewer)"
        ]
    power = find_power(trials)
    return [
        f"power: of simulated studies with {trials} explored trials that all train, "
        f"{100 * power.ranked:.0f} % rank their parameters; 8 in 10 of those find a share of "
        f"{100 * power.smallest:.0f} % significant, and the three highest shares are known to "
        f"about +- {100 * power.half_width:.0f} %. Expect less if runs break, or if seeds matter "
        "more than in these studies"
    ]


def find_power(trials: int) -> Power:
    """What so many trials tell, between and beyond the sizes of the table on a logarithmic line."""
    sizes = np.log([power.trials for power in TABLE])

    def at(values: list[float]) -> float:
        logs = np.log(values)
        if trials > TABLE[-1].trials:  # as 1 / sqrt(trials), like all intervals
            return float(np.exp(logs[-1] - 0.5 * (np.log(trials) - sizes[-1])))
        return float(np.exp(np.interp(np.log(trials), sizes, logs)))

    ranked = float(np.interp(np.log(trials), sizes, [power.ranked for power in TABLE]))
    return Power(
        trials,
        ranked,
        at([power.half_width for power in TABLE]),
        at([power.smallest for power in TABLE]),
    )
