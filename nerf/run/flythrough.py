"""Fly-through video of a trained field: renders a camera path and writes the frames.

torch is imported in the functions: it takes seconds, which a misspelt option should not cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from nerf.model.nerf import Nerf
    from nerf.scenes.scene import Float32, Scene


def load_model(checkpoint: Path) -> Nerf:
    """The model of a run's checkpoint, on the GPU if there is one.

    Raises `InputError` if there is no checkpoint, and where a plugin that it needs is missing.
    """
    import torch

    from nerf.config.flat import build
    from nerf.config.plugin import Plugin, require_plugins
    from nerf.model.nerf import Nerf
    from nerf.training.checkpoint import load_checkpoint

    state = load_checkpoint(checkpoint)
    require_plugins(str(checkpoint), tuple(map(Plugin.from_json, state.get("plugins", ()))))
    model = Nerf(build(state["config"]), torch.Generator())
    model.load_state_dict(state["model"])
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def render_flythrough(
    model: Nerf, scene: Scene, poses: Float32, height: int
) -> Iterator[np.ndarray]:
    """Yields a frame (height, 2 width, 3) uint8 for each world_from_camera pose.

    Colour is on the left, depth on the right: white at near, black at far, grey in proportion to
    distance or disparity, as samples are spaced. Height and width are rounded down to even numbers,
    as video codecs require.
    """
    import numpy as np
    import torch

    from nerf.evaluation.evaluate import render_rays
    from nerf.model.spacing import nearness
    from nerf.scenes.cameras.camera_paths import pinhole_focal
    from nerf.scenes.cameras.pinhole import Pinhole

    # The scene's first camera without its distortion, scaled to the height of the video. Images of
    # mixed sizes are padded: its own part of them counts.
    top, left, full_height, full_width = scene.images.frame(0)
    scale = height / full_height
    rows, columns = height // 2 * 2, round(full_width * scale) // 2 * 2
    focal, centre = pinhole_focal(scene) * scale, (scene.centre[0] - (left, top)) * scale
    for pose in poses:
        camera = Pinhole(pose, focal, centre.astype(np.float32), rows, columns)
        directions = torch.tensor(camera.directions())
        origins = torch.tensor(pose[:3, 3]).expand(directions.shape)
        image = render_rays(model, origins, directions, scene.background)
        depth = nearness(image.depth, model.config.sampling)[..., None].expand(-1, -1, 3)
        frame = torch.cat((image.rgb, depth), dim=1).numpy()
        yield (np.nan_to_num(frame) * 255 + 0.5).astype(np.uint8)


def write_video(path: Path, frames: Iterable[np.ndarray], fps: int) -> None:
    """Writes an endlessly looping GIF if `path` ends in .gif, an H.264 mp4 otherwise."""
    import imageio.v2 as iio

    if path.suffix == ".gif":
        writer = iio.get_writer(path, duration=1000 / fps, loop=0)
    else:
        writer = iio.get_writer(path, fps=fps, codec="libx264", macro_block_size=2, quality=8)
    with writer:
        for frame in frames:
            writer.append_data(frame)
