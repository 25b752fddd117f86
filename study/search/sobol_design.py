"""The explore phase's points and every trial's training seed: pure functions of a few integers.

The points are a scrambled Sobol' sequence (Owen's scrambling, scipy.stats.qmc), so that any number
of them covers the space evenly and a longer study goes on where a shorter one stopped.
"""

from __future__ import annotations

import numpy as np

from nerf.config.parameters import Value
from study.spec.space import Space


def explore_point(space: Space, seed: int, index: int) -> dict[str, Value]:
    """The values of the `index`-th point of the study with this seed; the same for ever."""
    # Half a second, which those who want a seed alone need not wait for.
    from scipy.stats import qmc

    sequence = qmc.Sobol(len(space.dimensions), scramble=True, rng=np.random.default_rng(seed))
    if index:  # SciPy does not know how to go forward by nothing
        sequence.fast_forward(index)
    return space.point([float(u) for u in sequence.random(1)[0]])


def trial_seed(seed: int, number: int) -> int:
    """The training seed of trial `number` of the study with this seed, in 0 .. 2^31 - 1."""
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0] >> 1)


def repeats_explored(index: int, explore: int) -> bool:
    """Does the `index`-th replicate of a study repeat an explored point, whatever became of it?

    Every second one does, where there are any; the others repeat the best.
    """
    return explore > 0 and index % 2 == 0
