"""Which runs can share a batch, and the padded sizes of the networks in it."""

from __future__ import annotations

from dataclasses import dataclass

from nerf.config.schema import NerfConfig

WIDTH_MULTIPLE = 64
"""Widths are padded to a multiple of this: runs of 65 to 128 units can share a batch."""

SIZE_MULTIPLE = 8
"""Other sizes are padded to a multiple of this, for which tensor cores multiply at full speed."""

POSITION_OCTAVES = (16, 24)
"""Octaves of the position encoding that a batch may compute: it covers what a study searches
(15), or what a config allows."""

DIRECTION_OCTAVES = (8, 24)
"""The same for directions."""


@dataclass(frozen=True)
class Shape:
    """What the networks of a batch have in common: their layers, with padded sizes."""

    depth: int
    width: int
    skip: int
    hidden_activation: str
    position_octaves: int
    """0 for a hash encoding."""
    direction_octaves: int
    hash_levels: int
    """0 without a hash encoding; so are the next two."""
    hash_finest: int
    hash_log2_entries: int

    @staticmethod
    def of(config: NerfConfig) -> Shape:
        """The shape of the batches that take runs of `config`."""
        field, encoding = config.field, config.encoding
        hashed = encoding.kind == "hash"
        waves = encoding.position_frequencies if encoding.kind == "frequency" else 0
        return Shape(
            depth=field.depth,
            width=-(-field.width // WIDTH_MULTIPLE) * WIDTH_MULTIPLE,
            skip=field.skip,
            hidden_activation=field.hidden_activation,
            position_octaves=0 if hashed else _smallest(POSITION_OCTAVES, waves),
            direction_octaves=_smallest(DIRECTION_OCTAVES, encoding.direction_frequencies),
            hash_levels=encoding.hash_levels if hashed else 0,
            hash_finest=encoding.hash_finest if hashed else 0,
            hash_log2_entries=encoding.hash_log2_entries if hashed else 0,
        )


def can_share_batch(config: NerfConfig) -> bool:
    """Whether a batch takes such a run; voxels, grid encodings and other losses train alone."""
    is_network = config.field.kind == "network" and config.encoding.kind != "grid"
    return is_network and config.optimisation.loss == "squared"


def batch_key(config: NerfConfig) -> tuple[object, ...]:
    """Runs whose keys are equal can be trained in one batch.

    A batch has one network shape, one number of rays and samples, and one spacing, contraction and
    colour space. Each member has its own bounds, activations of density and colour, octaves (within
    the shape's), initialisation, learning rate and schedule, steps, clip, noise, jitter,
    background, crop, views and seed.
    """
    sampling, compute = config.sampling, config.compute
    return (
        Shape.of(config),
        config.optimisation.rays,
        sampling.coarse,
        sampling.fine,
        sampling.spacing,
        config.encoding.contraction,
        config.field.colour_space,
        compute.occupancy,
        compute.precision,
        compute.graphs,
    )


def _smallest(sizes: tuple[int, ...], needed: int) -> int:
    return next(size for size in sizes if size >= needed)
