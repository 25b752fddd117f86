"""Renders a camera path through a trained field to a video file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from nerf.model.nerf import Nerf
    from nerf.scenes.scene import Float32, Scene


def trained_model(checkpoint: Path) -> Nerf:
    """The model in a run's checkpoint; raises `InputError` where there is none."""
    import torch

    from nerf.config.flat import build
    from nerf.model.nerf import Nerf
    from nerf.training.checkpoint import load_checkpoint

    state = load_checkpoint(checkpoint)
    model = Nerf(build(state["config"]), torch.Generator())
    model.load_state_dict(state["model"])
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def flight(model: Nerf, scene: Scene, poses: Float32, height: int) -> Iterator[np.ndarray]:
    """One picture (height, 2 width, 3) uint8 a pose; both sides even, as video coders want."""
    import numpy as np
    import torch

    from nerf.evaluation.evaluate import render_rays
    from nerf.scenes.cameras.pixel_rays import pixel_directions

    scale = height / scene.height
    rows, columns = height // 2 * 2, round(scene.width * scale) // 2 * 2
    near, far = model.config.sampling.near, model.config.sampling.far
    for pose in poses:
        directions = torch.tensor(
            pixel_directions(
                pose,
                scene.focal[0] * scale,
                scene.centre[0] * scale,
                np.arange(columns),
                np.arange(rows),
            )
        )
        seen = render_rays(
            model, torch.tensor(pose[:3, 3]).expand(directions.shape), directions, scene.background
        )
        nearness = ((far - seen.depth) / (far - near)).clamp(0, 1)[..., None].expand(-1, -1, 3)
        both = torch.cat((seen.rgb, nearness), dim=1).numpy()
        yield (np.nan_to_num(both) * 255 + 0.5).astype(np.uint8)


def write_video(path: Path, frames: Iterable[np.ndarray], fps: int) -> None:
    """An mp4 that any browser plays, or a GIF that loops for ever, by the path's ending."""
    import imageio.v2 as iio

    if path.suffix == ".gif":
        writer = iio.get_writer(path, duration=1000 / fps, loop=0)
    else:
        writer = iio.get_writer(path, fps=fps, codec="libx264", macro_block_size=2, quality=8)
    with writer:
        for frame in frames:
            writer.append_data(frame)
