"""TensoRF (arXiv:2203.09517) as a side of time_to_psnr.py: its own model in the loop of train.py.

What its train.py does after thousands of steps (finer grids, an alpha mask) is left out: on a CPU
no run gets that far within the time. All numbers but `TensorfSize` are those of its lego config.
"""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nerf.scenes.cameras.pixel_rays import view_directions, view_pixels
from nerf.scenes.scene import Scene

_LEARNING_RATES = (0.02, 1e-3)  # of the grids and of the network, at the start
_DECAY = 0.1 ** (1 / 30_000)  # of the rates, a step
_L1_WEIGHT = 8e-5
_STEP_RATIO = 0.5
_COMPONENTS = ([16, 16, 16], [48, 48, 48])  # of density and appearance


@dataclass(frozen=True)
class TensorfSize:
    """Rays of a step, and voxels of the first grid."""

    rays: int
    voxels: int


LEGO_CONFIG = TensorfSize(4096, 128**3)
SMALL = TensorfSize(1024, 64**3)
"""Less work a step, as suits a CPU: not its authors' choice."""


class TensorfRun:
    """Its TensorVMSplit with Adam, on all training rays.

    Its loop draws white behind half of the batches unless the background is white, so that
    pictures before black are given to it as negatives, before white. The box is as wide as near
    is from far, around the origin, where the cameras look.
    """

    def __init__(self, scene: Scene, checkout: Path, size: TensorfSize, seed: int) -> None:
        self._scene, self._size = scene, size
        self._negative = bool(np.all(scene.background == 0))
        with _checkout(checkout), contextlib.redirect_stdout(io.StringIO()):
            import models.tensoRF as model  # type: ignore[import-not-found]

            torch.manual_seed(seed)
            near, far = scene.bounds.near, scene.bounds.far
            reach = (far - near) / 2
            box = torch.tensor([[-reach] * 3, [reach] * 3])
            cells = round(size.voxels ** (1 / 3))
            self._model = _untyped(model).TensorVMSplit(
                box,
                [cells] * 3,
                "cpu",
                density_n_comp=_COMPONENTS[0],
                appearance_n_comp=_COMPONENTS[1],
                near_far=[near, far],
                shadingMode="MLP_Fea",
                alphaMask_thres=1e-4,
                view_pe=2,
                fea_pe=2,
                step_ratio=_STEP_RATIO,
            )
        self._samples = int(np.linalg.norm([cells] * 3) / _STEP_RATIO)
        rays, colours = zip(*map(self._rays, scene.train), strict=True)
        rays, colours = (
            torch.cat([each.flatten(0, 1) for each in part]) for part in (rays, colours)
        )
        with contextlib.redirect_stdout(io.StringIO()):
            self._training = self._model.filtering_rays(rays, colours, bbox_only=True)
        groups = self._model.get_optparam_groups(*_LEARNING_RATES)
        self._optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99))
        self._order, self._next = torch.randperm(len(self._training[0])), 0

    def _rays(self, view: int, stride: int = 1) -> tuple[Tensor, Tensor]:
        """(rows, columns, 6) origins and directions, and (rows, columns, 3) colours of a view."""
        scene = self._scene
        directions = torch.tensor(view_directions(scene, view, stride)).float()
        origin = torch.tensor(scene.world_from_camera[view, :3, 3]).float()
        colours = torch.tensor(view_pixels(scene, view, stride)).float()
        return torch.cat((origin.expand_as(directions), directions), -1), self._shown(colours)

    def _shown(self, colours: Tensor) -> Tensor:
        return 1 - colours if self._negative else colours

    def step(self) -> None:
        """One step on the next rays of a random order, as its SimpleSampler draws them."""
        rays, colours = self._training
        if self._next + self._size.rays > len(rays):
            self._order, self._next = torch.randperm(len(rays)), 0
        drawn = self._order[self._next : self._next + self._size.rays]
        self._next += self._size.rays
        shown, _ = self._model(rays[drawn], is_train=True, white_bg=True, N_samples=self._samples)
        loss = torch.mean((shown - colours[drawn]) ** 2) + _L1_WEIGHT * self._model.density_L1()
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        for group in self._optimiser.param_groups:
            group["lr"] *= _DECAY

    def render_view(self, view: int, stride: int) -> Tensor:
        """(rows, columns, 3) every `stride`-th pixel of a view."""
        rays, _ = self._rays(view, stride)
        with torch.no_grad():
            parts = [
                self._model(part, is_train=False, white_bg=True, N_samples=self._samples)[0]
                for part in rays.flatten(0, 1).split(4096)
            ]
        return self._shown(torch.cat(parts)).reshape(*rays.shape[:2], 3)


@contextlib.contextmanager
def _checkout(path: Path) -> Any:
    """Lets modules of a checkout be imported."""
    sys.path.insert(0, str(path))
    try:
        yield
    finally:
        sys.path.remove(str(path))


def _untyped(module: ModuleType) -> Any:
    return module
