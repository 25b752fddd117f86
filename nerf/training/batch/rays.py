"""Pixels that members draw their rays from: those of one scene are on the device once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nerf.training.loop import TrainingRun
from nerf.training.ray_batches import Batch, Pixels


class PixelTable:
    """The pixels of all members, one set after the other, and where each member's set begins.

    Members that train on the same views over the same background share a set.
    """

    def __init__(self, slots: int, device: torch.device) -> None:
        self.version = 0
        """Changes when the pixels have moved to new memory: a graph has to be captured again."""
        self._sets: list[Pixels] = []
        # First view, first pixel, and pixels of a view, of each slot.
        self._places = torch.ones(slots, 3, dtype=torch.int64, device=device)
        self._background = torch.zeros(slots, 1, 3, device=device)

    def load(self, members: Mapping[int, TrainingRun]) -> None:
        """Finds the pixels of each member, by slot; copies sets only where a new one has come."""
        used = {id(run.rays.pixels): run.rays.pixels for run in members.values()}
        if used.keys() - {id(each) for each in self._sets}:
            self._sets = list(used.values())
            self._concatenate()
            self.version += 1
        for slot, run in members.items():
            pixels = run.rays.pixels
            before = self._sets[: [id(each) for each in self._sets].index(id(pixels))]
            views, count = sum(len(p.origins) for p in before), sum(len(p.rgb) for p in before)
            place = torch.tensor([views, count, pixels.height * pixels.width])
            self._places[slot].copy_(place)
            self._background[slot].copy_(pixels.background)

    def gather(
        self, pixel: Int[Tensor, "slots rays"], background: Float[Tensor, "slots rays 3"]
    ) -> Batch:
        """The rays of all slots, one after the other, from the pixels drawn in each."""
        first_view, first_pixel, view_pixels = self._places[:, :, None].unbind(1)
        view = (pixel // view_pixels + first_view).flatten()
        index = (pixel + first_pixel).flatten()
        # rgb = alpha c + (1 - alpha) old, so this is alpha c + (1 - alpha) new.
        change = (background - self._background).flatten(0, 1)
        rgb = self._rgb[index] + self._share[index, None] * change
        return Batch(self._origins[view], self._directions[index], rgb, background.flatten(0, 1))

    def _concatenate(self) -> None:
        def join(tensors: list[Tensor]) -> Tensor:
            return tensors[0] if len(tensors) == 1 else torch.cat(tensors)

        self._origins = join([each.origins for each in self._sets])
        self._directions = join([each.directions for each in self._sets])
        self._rgb = join([each.rgb for each in self._sets])
        self._share = join([_background_share(each) for each in self._sets])


def _background_share(pixels: Pixels) -> Tensor:
    if pixels.background_share is not None:
        return pixels.background_share
    return pixels.rgb.new_zeros(1).expand(len(pixels.rgb))  # 0 for all, without memory
