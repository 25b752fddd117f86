"""Design points of the explore phase and training seeds: pure functions of a few integers.

The points are scrambled Sobol' sequences (Owen's scrambling, scipy.stats.qmc), several *nets* of
them in turn, each scrambled on its own. Any number of points covers the space evenly, and an
extended study continues the same sequences. Several nets, because the points of one share its
regularities: a surrogate fitted to some of them seems to predict the others even where it has
learnt nothing. With several, a whole net can be left out (`analysis.data.study.design_folds`).
"""

from __future__ import annotations

import numpy as np

from nerf.config.parameters import Value
from study.spec.space import Space


def explore_point(space: Space, seed: int, index: int, nets: int) -> dict[str, Value]:
    """The values of the `index`-th design point of the study with this seed; always the same.

    nets: how many nets take turns; 1 in studies of earlier versions
    """
    # Importing SciPy takes half a second, which callers of `trial_seed` need not wait for.
    from scipy.stats import qmc

    place, net = divmod(index, nets)
    rng = np.random.default_rng((seed, net) if nets > 1 else seed)
    sequence = qmc.Sobol(len(space.dimensions), scramble=True, rng=rng)
    if place:  # SciPy raises for 0
        sequence.fast_forward(place)
    return space.point([float(u) for u in sequence.random(1)[0]])


def trial_seed(seed: int, number: int) -> int:
    """The training seed of trial `number` of the study with this seed, in 0 .. 2^31 - 1."""
    # Two integers hashed to one: seeds of neighbouring studies and trials are unrelated.
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0] >> 1)
