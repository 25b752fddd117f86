"""The ways to train that time_to_psnr.py times: ours, and those of checkouts of peers."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from parity import load_nerf_pytorch
from tensorf_side import TensorfRun, TensorfSize

from nerf.config.flat import build
from nerf.evaluation.evaluate import grid_stride
from nerf.scenes.cameras.pixel_rays import view_pixels
from nerf.scenes.scene import Scene
from nerf.training.run import TrainingRun

HELD_OUT_PIXELS = 10_000
"""Pixels of validation views, at most, at which all sides are compared: on one regular grid."""

_LEARNING_RATE = 5e-4  # of nerf-pytorch, at the start
_DECAY_STEPS = 500_000  # in which it falls to a tenth
_RAYS = 1024  # a step of nerf-pytorch


@dataclass(frozen=True)
class Side:
    """One way to train."""

    step: Callable[[], None]
    psnr: Callable[[], float]
    """Mean PSNR in dB of the held-out pixels as the field is now."""
    evaluate_every: int
    """Steps between two evaluations."""


def our_side(scene: Scene, settings: dict[str, Any], evaluate_every: int, seed: int) -> Side:
    """This project with these settings."""
    bounds = {"sampling.near": scene.bounds.near, "sampling.far": scene.bounds.far}
    pixels = {"evaluation.pixels": HELD_OUT_PIXELS}
    run = TrainingRun(build(bounds | pixels | settings | {"seed": seed}), scene)
    return Side(run.advance, lambda: run.evaluate().psnr, evaluate_every)


def nerf_pytorch_side(scene: Scene, checkout: Path, seed: int) -> Side:
    """The lego config: 1,024 rays of one view per step, 64 + 128 samples, two 8 x 256 networks."""
    run = _NerfPytorchRun(scene, checkout, seed)
    return Side(run.step, lambda: _held_out_psnr(scene, run.render_view), 5)


class _NerfPytorchRun:
    """Networks, rays and renderer of nerf-pytorch in the loop of its lego config."""

    def __init__(self, scene: Scene, checkout: Path, seed: int) -> None:
        self._scene = scene
        self._helpers, self._functions = load_nerf_pytorch(checkout)
        torch.manual_seed(seed)
        self._embed, self._position = self._helpers.get_embedder(10)
        self._embed_direction, self._direction = self._helpers.get_embedder(4)
        self._coarse, self._fine = self._make_network(), self._make_network()
        parameters = [*self._coarse.parameters(), *self._fine.parameters()]
        self._optimiser = torch.optim.Adam(parameters, lr=_LEARNING_RATE)
        self._rng, self._steps_done = np.random.default_rng(seed), 0

    def _make_network(self) -> Any:
        return self._helpers.NeRF(
            D=8,
            W=256,
            input_ch=self._position,
            input_ch_views=self._direction,
            output_ch=5,
            skips=[4],
            use_viewdirs=True,
        )

    def _query(self, points: Any, views: Any, network: Any) -> Any:
        run_network = self._functions["run_network"]
        return run_network(points, views, network, self._embed, self._embed_direction)

    def _rays(self, view: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(height, width, 3) origins and directions of a view."""
        scene = self._scene
        pose = torch.tensor(scene.world_from_camera[view, :3, :4])
        fx, fy = scene.focal[view] if np.ndim(scene.focal) > 1 else scene.focal
        intrinsics = np.array([[fx, 0, scene.width / 2], [0, fy, scene.height / 2], [0, 0, 1]])
        origins, directions = self._helpers.get_rays(scene.height, scene.width, intrinsics, pose)
        return origins, directions

    def _render(self, origins: torch.Tensor, directions: torch.Tensor, perturb: float) -> Any:
        near_far = torch.tensor([self._scene.bounds.near, self._scene.bounds.far])
        bounds = near_far.float().expand(len(origins), 2)
        packed = torch.cat((origins, directions, bounds, F.normalize(directions, dim=-1)), -1)
        return self._functions["render_rays"](
            packed,
            self._coarse,
            self._query,
            64,
            perturb=perturb,
            N_importance=128,
            network_fine=self._fine,
        )

    def step(self) -> None:
        """One step on random rays of a random view."""
        scene, image_loss = self._scene, self._helpers.img2mse
        view = int(self._rng.choice(scene.train))
        origins, directions = self._rays(view)
        pixels = self._rng.choice(scene.height * scene.width, size=_RAYS, replace=False)
        target = torch.tensor(scene.images[view]).reshape(-1, 3)[pixels]
        rendered = self._render(
            origins.reshape(-1, 3)[pixels], directions.reshape(-1, 3)[pixels], perturb=1.0
        )
        self._optimiser.zero_grad()
        loss = image_loss(rendered["rgb_map"], target) + image_loss(rendered["rgb0"], target)
        loss.backward()
        self._optimiser.step()
        self._steps_done += 1
        for group in self._optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * 0.1 ** (self._steps_done / _DECAY_STEPS)

    def render_view(self, view: int, stride: int) -> torch.Tensor:
        """(rows, columns, 3) the pixels of a view on the grid of `view_pixels`."""
        first = stride // 2
        origins, directions = (rays[first::stride, first::stride] for rays in self._rays(view))
        with torch.no_grad():
            rendered = self._render(origins.reshape(-1, 3), directions.reshape(-1, 3), perturb=0.0)
        rgb: torch.Tensor = rendered["rgb_map"]
        return rgb.reshape(origins.shape)


def minimal_nerf_side(scene: Scene, checkout: Path, seed: int) -> Side:
    """Its module, data set and loader (4,096 rays, 64 samples, 4 x 128), stepped as by Lightning.

    Lightning's own overhead is left out, in its favour. It trains on all views of its file, so it
    is given only the training views.
    """
    sys.path.insert(0, str(checkout))
    import minimal_nerf.datasets.tiny_nerf_dataset as data  # type: ignore[import-not-found]
    import minimal_nerf.nerf as model  # type: ignore[import-not-found]

    arrays = {
        "images": scene.images[list(scene.train)],
        "poses": scene.world_from_camera[list(scene.train)],
        "focal": np.float32(np.ravel(scene.focal)[0]),
    }
    _untyped(data).load_tiny_data = lambda: arrays
    torch.manual_seed(seed)
    nerf = model.NeRF()
    nerf.log = lambda *_: None
    optimiser = nerf.configure_optimizers()
    loader = torch.utils.data.DataLoader(data.TinyNerfDataset(), batch_size=4096, shuffle=True)
    batches = iter(loader)

    def step() -> None:
        nonlocal batches
        batch = next(batches, None)
        if batch is None:
            batches = iter(loader)
            batch = next(batches)
        optimiser.zero_grad()
        nerf.training_step(batch, 0).backward()
        optimiser.step()

    def render_view(view: int, stride: int) -> torch.Tensor:
        first = stride // 2
        pose = torch.tensor(scene.world_from_camera[view])
        rays = model.get_image_rays(pose, scene.height, scene.width, float(arrays["focal"]))
        origins, directions = (part[first::stride, first::stride] for part in rays)
        with torch.no_grad():
            rgb: torch.Tensor = nerf.render_rays(
                origins.reshape(-1, 3), directions.reshape(-1, 3), 64
            )
        return rgb.reshape(origins.shape)

    return Side(step, lambda: _held_out_psnr(scene, render_view), 10)


def _untyped(module: ModuleType) -> Any:
    return module


def tensorf_side(scene: Scene, checkout: Path, size: TensorfSize, seed: int) -> Side:
    """TensoRF's own model and loop, with rays and a first grid of `size`."""
    run = TensorfRun(scene, checkout, size, seed)
    return Side(run.step, lambda: _held_out_psnr(scene, run.render_view), 5)


def _held_out_psnr(scene: Scene, render: Callable[[int, int], torch.Tensor]) -> float:
    """Mean PSNR in dB over validation views; `render` returns a view's pixels at a stride."""
    stride, scores = grid_stride(scene, "val", HELD_OUT_PIXELS), []
    for view in scene.val:
        truth = torch.tensor(view_pixels(scene, view, stride))
        error = torch.mean((render(view, stride).clamp(0, 1) - truth) ** 2).item()
        scores.append(-10 * math.log10(error))
    return float(np.mean(scores))
