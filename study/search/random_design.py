"""Random design of the explore phase: independent draws from the prior of each parameter.

Less even than a Sobol' design of as many points; it is what other tools call random search.
"""

from __future__ import annotations

import numpy as np

from nerf.config.parameters import Value
from study.spec.space import Space


def random_point(space: Space, seed: int, index: int) -> dict[str, Value]:
    """The values of the `index`-th draw of the study with this seed; always the same."""
    rng = np.random.default_rng((seed, index))
    return space.point([float(u) for u in rng.random(len(space.dimensions))])
