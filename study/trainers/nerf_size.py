"""What decides how much memory a NeRF needs."""

from __future__ import annotations

from nerf.config.schema import NerfConfig


def describe_size(config: NerfConfig) -> str:
    """The parameters that decide how much memory a trial needs."""
    samples = config.sampling.coarse + config.sampling.fine
    return (
        f"{config.optimisation.rays} rays x {samples} samples through "
        f"{config.field.depth} layers of {config.field.width}"
    )
