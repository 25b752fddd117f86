"""Design points of the explore phase and training seeds: pure functions of a few integers.

The points are a scrambled Sobol' sequence (Owen's scrambling, scipy.stats.qmc): any number of them
covers the space evenly, and an extended study continues the same sequence.
"""

from __future__ import annotations

import numpy as np

from nerf.config.parameters import Value
from study.spec.space import Space


def explore_point(space: Space, seed: int, index: int) -> dict[str, Value]:
    """The values of the `index`-th design point of the study with this seed; always the same."""
    # Importing SciPy takes half a second, which callers of `trial_seed` need not wait for.
    from scipy.stats import qmc

    sequence = qmc.Sobol(len(space.dimensions), scramble=True, rng=np.random.default_rng(seed))
    if index:  # SciPy raises for 0
        sequence.fast_forward(index)
    return space.point([float(u) for u in sequence.random(1)[0]])


def trial_seed(seed: int, number: int) -> int:
    """The training seed of trial `number` of the study with this seed, in 0 .. 2^31 - 1."""
    # Two integers hashed to one: seeds of neighbouring studies and trials are unrelated.
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0] >> 1)
