"""Draws pixels that no mask leaves out.

The valid pixels of a row are a few runs side by side, so that runs are a small table. A pixel is
drawn by its rank among all valid ones, which is looked up in the runs: every valid pixel is as
likely, and no draw is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Generator, Tensor

from nerf.scenes.backdrop import Windows
from nerf.scenes.images import Images


@dataclass(frozen=True)
class ValidPixels:
    """The valid pixels of training views, as runs of pixels that lie side by side in a row."""

    first: Int[Tensor, " runs"]
    """Index of each run's first pixel among all pixels of the training views."""
    before: Int[Tensor, " runs"]
    """Valid pixels in the runs before it."""
    total: int

    @staticmethod
    def of(
        images: Images, views: list[int], device: torch.device | str, windows: Windows | None = None
    ) -> ValidPixels | None:
        """Those of the views, in their windows; None without masks, or if they leave nothing."""
        if images.valid is None:
            return None
        _, height, width, _ = images.shape
        firsts, lengths = [], []
        for number, view in enumerate(views):
            top, left, rows, columns = (0, 0, height, width) if windows is None else windows[number]
            # A column of False on either side, so that each run has a start and an end.
            inside = np.zeros((height, width + 2), np.int8)
            inside[top : top + rows, left + 1 : left + 1 + columns] = images.valid[
                view, top : top + rows, left : left + columns
            ]
            change = np.diff(inside, axis=1)
            starts, ends = (np.argwhere(change == sign) for sign in (1, -1))
            firsts.append((number * height + starts[:, 0]) * width + starts[:, 1])
            lengths.append(ends[:, 1] - starts[:, 1])
        first, length = np.concatenate(firsts), np.concatenate(lengths)
        if not len(first):
            return None
        before = np.cumsum(length) - length
        return ValidPixels(
            torch.tensor(first, device=device),
            torch.tensor(before, device=device),
            int(length.sum()),
        )

    def draw(self, rays: int, generator: Generator) -> Int[Tensor, " rays"]:
        """Draws indices among all pixels of the training views, uniformly over the valid ones."""
        device = self.first.device
        rank = torch.randint(self.total, (rays,), generator=generator, device=device)
        run = torch.searchsorted(self.before, rank, right=True) - 1
        return self.first[run] + rank - self.before[run]
