"""What decides how much memory and time a NeRF needs."""

from __future__ import annotations

from nerf.config.schema import NerfConfig


def describe_size(config: NerfConfig) -> str:
    """The parameters that decide how much memory a trial needs."""
    samples = config.sampling.coarse + config.sampling.fine
    return (
        f"{config.optimisation.rays} rays x {samples} samples through "
        f"{config.field.depth} layers of {config.field.width}"
    )


def relative_cost(config: NerfConfig) -> float:
    """Multiplications of a step of a network: rays x samples x weights."""
    field, samples = config.field, config.sampling.coarse + config.sampling.fine
    inputs = 6 * config.encoding.position_frequencies + 3
    weights = field.width * inputs + field.depth * field.width**2
    return float(config.optimisation.rays * samples * weights)
