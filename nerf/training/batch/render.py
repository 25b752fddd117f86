"""The renderings of all members' rays, as nerf.model.nerf makes those of one.

slots    K
rays     of one slot in a chunk; `flat` tensors have those of all slots, one after the other
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nerf.config.choices import DENSITY_ACTIVATIONS
from nerf.model.contraction import contract
from nerf.model.hash_encoding import FEATURES, HashEncoding
from nerf.model.precision import matrix_dtype
from nerf.model.rendering import Rendering, composite
from nerf.model.sampling import edges_around, refine
from nerf.model.spacing import to_distance
from nerf.training.batch.draws import Draws
from nerf.training.batch.encoding import encode_by_hash, encode_waves
from nerf.training.batch.field import BatchField
from nerf.training.batch.grids import BatchGrids
from nerf.training.batch.layout import Layout
from nerf.training.batch.settings import Settings
from nerf.training.batch.tiles import TilePlan, queried_counts, tile_size
from nerf.training.ray_batches import Batch
from nerf.training.run import TrainingRun


@dataclass(frozen=True)
class Leaves:
    """The parameters of one pass that a step differentiates by."""

    network: Float[Tensor, "slots numbers"]
    entries: Float[Tensor, "entries F"] | None
    """The hash tables of all members."""


@dataclass(frozen=True)
class Samples:
    """The samples of one pass, of all slots."""

    rays: Batch
    t: Float[Tensor, "flat samples"]
    t_edges: Float[Tensor, "flat edges"]
    encoded_direction: Float[Tensor, "slots rays d"]
    noise: Float[Tensor, "slots rays samples"]


class BatchRenderer:
    """Renders the rays of all slots, from tensors of one row a slot that `load` fills."""

    def __init__(self, layout: Layout, run: TrainingRun, slots: int, chunk_rays: int) -> None:
        """For members like `run`, which render `chunk_rays` rays at once."""
        self.layout = layout
        device = run.rays.device
        self.passes = tuple(_field_name(name) for name in run.model.passes())
        """The fields of the passes, in rendering order."""
        self.settings = Settings(slots, device)
        self.draws = Draws(run, slots, chunk_rays)
        self.grids = [BatchGrids(grid, slots, device) for grid in run.model.occupancy_grids()]
        self.plans: list[TilePlan] = []
        """The tiles of each pass where their number is fixed; otherwise they are counted."""
        self.density_kinds: frozenset[int] = frozenset()
        """The density activations that members have had."""
        self._field = BatchField(layout, matrix_dtype(run.config.compute.precision, device))
        self._space = run.model.colour_space
        self._spacing = run.config.sampling.spacing
        self._contracted = run.config.encoding.contraction == "sphere"
        encoding = run.model.coarse.encode_position
        self._hash = encoding if isinstance(encoding, HashEncoding) else None
        self._box = torch.ones(slots, 2, 3, device=device)
        rows = torch.arange(slots, device=device)
        self._first_entry = rows * (layout.row_size // FEATURES)

    def load(self, slot: int, run: TrainingRun) -> None:
        """Fills a slot with what rendering needs of a run, but for its parameters."""
        self.settings.load(slot, run)
        self.draws.load(slot, run)
        for grids, grid in zip(self.grids, run.model.occupancy_grids(), strict=True):
            grids.load(slot, grid)
        self.density_kinds |= {
            DENSITY_ACTIVATIONS.built_in.index(run.config.field.density_activation)
        }
        encoding = run.model.coarse.encode_position
        if isinstance(encoding, HashEncoding):
            self._box[slot].copy_(encoding.box)

    def store(self, slot: int, run: TrainingRun) -> None:
        """Copies the occupancy grids of a slot to the run."""
        for grids, grid in zip(self.grids, run.model.occupancy_grids(), strict=True):
            grids.store(slot, grid)

    def render(
        self,
        leaves: Sequence[Leaves],
        rays: Batch,
        part: slice,
        steps: Int[Tensor, " slots"],
        members: Mapping[int, object],
    ) -> list[Rendering]:
        """The rendering of each pass; `part` are the rays' places among those of a step."""
        slots, settings, draws = len(steps), self.settings, self.draws
        jitter = draws.jitter[:, part]
        strata = torch.arange(jitter.shape[2], device=jitter.device, dtype=torch.float32)
        near, far, stratum = (
            each[:, None, None] for each in (settings.near, settings.far, settings.stratum)
        )
        u = (near + stratum * (strata + jitter)).flatten(0, 1)
        ends = [each.expand(slots, jitter.shape[1], 1).flatten(0, 1) for each in (near, far)]
        directions = rays.directions.view(slots, -1, 3)
        octaves, size = self.layout.shape.direction_octaves, self.layout.direction_size
        encoded_direction = encode_waves(directions, settings.frequency_factor, octaves, size)
        renderings: list[Rendering] = []
        for number, noise in enumerate(draws.noise):
            if renderings:
                # Detached: the fine pass does not train the coarse one through the positions.
                u = refine(u, renderings[0].weights.detach(), draws.u[:, part].flatten(0, 1))
            t = to_distance(u, self._spacing)
            t_edges = to_distance(edges_around(u, *ends), self._spacing)
            samples = Samples(rays, t, t_edges, encoded_direction, noise[:, part])
            if self.grids:
                density, rgb = self._query_occupied(number, leaves[number], samples, steps, members)
            else:
                density, rgb = self._query_all(number, leaves[number], samples)
            renderings.append(composite(density, rgb, t, t_edges, rays.background, self._space))
        return renderings

    def _query_all(
        self, number: int, leaves: Leaves, samples: Samples
    ) -> tuple[Float[Tensor, "flat samples"], Float[Tensor, "flat samples 3"]]:
        """Density and colour of every sample."""
        rays, t, slots = samples.rays, samples.t, len(samples.noise)
        positions = rays.origins[:, None] + t[..., None] * rays.directions[:, None]
        directions = samples.encoded_direction[:, :, None].expand(-1, -1, t.shape[1], -1)
        density, rgb = self._query(
            number,
            leaves,
            positions.view(slots, -1, 3),
            directions.flatten(1, 2),
            samples.noise.flatten(1),
            None,
        )
        return density.view(t.shape), rgb.view(*t.shape, 3)

    def _query_occupied(
        self,
        number: int,
        leaves: Leaves,
        samples: Samples,
        steps: Int[Tensor, " slots"],
        members: Mapping[int, object],
    ) -> tuple[Float[Tensor, "flat samples"], Float[Tensor, "flat samples 3"]]:
        """Density and colour of the samples that the occupancy grids select; zeros elsewhere."""
        rays, t, slots, grids = samples.rays, samples.t, len(steps), self.grids[number]
        cell = grids.cell_of(
            rays.origins.view(slots, -1, 3),
            rays.directions.view(slots, -1, 3),
            t.view(slots, -1, t.shape[1]),
            self.settings.contraction_radius,
        )
        lengths = samples.t_edges.diff(dim=-1).view(cell.shape)
        ranking, visible = grids.rank(cell, lengths, steps)
        size = tile_size(ranking.shape[1])
        if self.plans:
            plan = self.plans[number]
        else:
            counts = queried_counts(visible.tolist(), ranking.shape[1], members)
            plan = TilePlan.of(counts, size, 0, t.device)
        tiles = grids.select(ranking, plan, size)
        ray = tiles.sample // t.shape[1]
        positions = rays.origins[ray] + t.take(tiles.sample)[..., None] * rays.directions[ray]
        directions = samples.encoded_direction.flatten(0, 1)[ray]
        noise = samples.noise.take(tiles.sample)
        density, rgb = self._query(number, leaves, positions, directions, noise, tiles.slot)
        grids.observe(cell, tiles, density, lengths)
        # Scatter the points back: a sample that was skipped counts as empty space. What is not
        # active goes to one place more, which is cut off, so that it has no gradient.
        target = torch.where(tiles.active, tiles.sample, t.numel()).flatten()
        density = density.new_zeros(t.numel() + 1).index_copy(0, target, density.flatten())
        rgb = rgb.new_zeros(t.numel() + 1, 3).index_copy(0, target, rgb.flatten(0, 1))
        return density[:-1].view(t.shape), rgb[:-1].view(*t.shape, 3)

    def _query(
        self,
        number: int,
        leaves: Leaves,
        positions: Float[Tensor, "T N 3"],
        encoded_direction: Float[Tensor, "T N d"],
        noise: Float[Tensor, "T N"],
        slot_of_tile: Int[Tensor, " T"] | None,
    ) -> tuple[Float[Tensor, "T N"], Float[Tensor, "T N 3"]]:
        """Density and colour of points in tiles; without `slot_of_tile`, one tile for each slot."""

        def of_tile(rows: Tensor) -> Tensor:
            return rows if slot_of_tile is None else rows[slot_of_tile]

        shape, size, settings = self.layout.shape, self.layout.position_size, self.settings
        if self._contracted:
            positions = contract(positions, of_tile(settings.contraction_radius)[:, None, None])
        if self._hash is None or leaves.entries is None:
            factor = of_tile(settings.frequency_factor)
            encoded = encode_waves(positions, factor, shape.position_octaves, size)
        else:
            first = of_tile(self._first_entry) + self.layout.table_start(self.passes[number])
            box = of_tile(self._box)
            encoded = encode_by_hash(positions, leaves.entries, first, box, self._hash, size)
        weights = self._field.weights(leaves.network, slot_of_tile)
        raw_density, raw_rgb = self._field.query(weights, encoded, encoded_direction)
        density = self._activate_density(
            raw_density + noise, of_tile(settings.density_kind), of_tile(settings.density_scale)
        )
        padding = of_tile(settings.colour_padding)[:, None, None]
        return density, (1 + 2 * padding) * torch.sigmoid(raw_rgb) - padding

    def _activate_density(
        self, raw: Float[Tensor, "T N"], kind: Float[Tensor, " T"], scale: Float[Tensor, " T"]
    ) -> Float[Tensor, "T N"]:
        """Densities, each by the activation of its member."""
        scales = SimpleNamespace(density_scale=scale[:, None])  # as in the section of one member
        density: Tensor | None = None
        for number in sorted(self.density_kinds):
            piece = DENSITY_ACTIVATIONS.piece(DENSITY_ACTIVATIONS.built_in[number])
            values = piece.bind(lambda _: scales)(raw)
            density = (
                values if density is None else torch.where(kind[:, None] == number, values, density)
            )
        assert density is not None
        return density


def _field_name(name: str) -> str:
    """The name of a pass's field in the model."""
    return "fine" if name == "fine" else "coarse"
