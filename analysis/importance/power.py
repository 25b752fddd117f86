"""What a study of so many explored trials will be able to tell, before it runs.

Measured on 37 simulated studies of 11 objectives whose shares are known, with 5 to 12 parameters.
Two runs of `python benchmarks/until_sure.py`, with `--objectives friedman three-way categories
--studies 6 --full 6 --json tuned.json` and with `--half reported --studies 6 --full 1 --first 1000
--json reported.json`, then `--from tuned.json reported.json` print the table.
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
    Power(32, 0.41, 0.20, 0.37),
    Power(48, 0.68, 0.16, 0.24),
    Power(64, 0.76, 0.14, 0.15),
    Power(80, 0.84, 0.11, 0.10),
    Power(96, 0.84, 0.094, 0.078),
    Power(112, 0.84, 0.088, 0.076),
    Power(128, 0.84, 0.076, 0.063),
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
