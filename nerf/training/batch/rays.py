"""Pixels that members draw their rays from: those of one scene are on the device once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nerf.training.pixels import Pixels
from nerf.training.ray_batches import Batch
from nerf.training.run import TrainingRun


class PixelTable:
    """The sets of pixels of all members, and which slots draw from each.

    Members that train on the same views over the same background share a set.
    """

    def __init__(self, slots: int, device: torch.device) -> None:
        self.version = 0
        """Changes when slots draw from other sets: a graph has to be captured again."""
        self._set_of: list[Pixels | None] = [None] * slots
        self._sets: list[tuple[Pixels, Tensor]] = []
        """Each set with the slots that draw from it."""
        self._order: Tensor = torch.arange(slots, device=device)
        """Where the rays of each slot are when those of one set come after those of another."""
        self._background = torch.zeros(slots, 1, 3, device=device)

    def load(self, members: Mapping[int, TrainingRun]) -> None:
        """Finds the pixels of each member, by slot; an empty slot keeps a set that is in use."""
        used = {id(run.rays.pixels): run.rays.pixels for run in members.values()}
        set_of = [
            members[slot].rays.pixels
            if slot in members
            else kept
            if id(kept) in used
            else next(iter(used.values()))
            for slot, kept in enumerate(self._set_of)
        ]
        if any(now is not before for now, before in zip(set_of, self._set_of, strict=True)):
            self._set_of = [*set_of]
            self._assign(list(used.values()))
            self.version += 1
        for slot, run in members.items():
            self._background[slot].copy_(run.rays.pixels.background)

    def gather(
        self, pixel: Int[Tensor, "slots rays"], background: Float[Tensor, "slots rays 3"]
    ) -> Batch:
        """The rays of all slots, one after the other, from the pixels drawn in each."""
        # rgb = alpha c + (1 - alpha) old, so this is alpha c + (1 - alpha) new.
        change = background - self._background
        rays: list[tuple[Tensor, Tensor, Tensor]] = []
        for pixels, slots in self._sets:
            # An empty slot may still have the last draw of a member with more pixels.
            drawn = pixel[slots].clamp(max=len(pixels) - 1)
            origins, directions, rgb, share = pixels.look_up(drawn.flatten())
            if share is not None:
                rgb = rgb + share[:, None] * change[slots].flatten(0, 1)
            rays.append((origins, directions, rgb))
        origins, directions, rgb = (self._in_order(parts) for parts in zip(*rays, strict=True))
        return Batch(origins, directions, rgb, background.flatten(0, 1))

    def _in_order(self, parts: tuple[Tensor, ...]) -> Float[Tensor, "all_rays 3"]:
        """The values of all rays in the order of slots, from those of each set."""
        if len(parts) == 1:
            return parts[0]
        return torch.cat(parts).view(len(self._order), -1, 3)[self._order].flatten(0, 1)

    def _assign(self, sets: list[Pixels]) -> None:
        device = self._order.device
        groups = [[s for s, pixels in enumerate(self._set_of) if pixels is each] for each in sets]
        self._sets = [
            (each, torch.tensor(slots, device=device))
            for each, slots in zip(sets, groups, strict=True)
        ]
        self._order = (
            torch.tensor([slot for slots in groups for slot in slots]).argsort().to(device)
        )
