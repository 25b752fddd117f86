"""A flight around a trained field: `python nerf/video.py RUN_FOLDER` writes RUN_FOLDER/video.mp4.

Each frame shows colour on the left and depth on the right: near is bright, far and empty dark.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.command import Parser, exit_status
from nerf.errors import InputError
from nerf.run_folder import CHECKPOINT, read_beginning

if TYPE_CHECKING:
    import numpy as np

    from nerf.model import Nerf
    from nerf.scenes.scene import Float32, Scene

FORMATS = ("mp4", "gif")


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, parsed; raises `InputError` for what it does not understand."""
    parser = Parser("Make a video of a trained NeRF: colour beside depth.")
    parser.add_argument("run", type=Path, help="a folder that nerf/train.py made")
    parser.add_argument("--frames", type=int, default=60, help="frames of the flight (default 60)")
    parser.add_argument("--fps", type=int, default=15, help="frames a second (default 15)")
    parser.add_argument("--radius", type=float, help="distance from the middle, scene units")
    parser.add_argument("--elevation", type=float, help="degrees above the horizon, -89 to 89")
    parser.add_argument("--height", type=int, help="pixels (default: the photographs')")
    parser.add_argument(
        "--path",
        choices=("auto", "orbit", "cameras"),
        default="auto",
        help="around the middle or along the training cameras (auto: what suits the scene)",
    )
    parser.add_argument("--format", choices=FORMATS, default="mp4")
    asked = parser.parse(arguments)
    if asked.frames < 2 or asked.fps < 1 or (asked.height is not None and asked.height < 16):
        raise InputError("--frames must be at least 2, --fps at least 1, --height at least 16")
    if asked.elevation is not None and not -89 <= asked.elevation <= 89:
        raise InputError(f"--elevation must lie in -89..89 degrees, got {asked.elevation:g}")
    if asked.radius is not None and not 0 < asked.radius < 1e6:
        raise InputError(f"--radius must be positive, got {asked.radius:g}")
    return asked


def main() -> int:
    """Renders the flight with a progress bar."""
    asked = options()
    source, _ = read_beginning(asked.run)

    from rich.progress import track

    from nerf.files import replace_atomically

    scene = source.load()
    model = trained_model(asked.run / CHECKPOINT)
    frames = flight(model, scene, camera_path(scene, asked), asked.height or scene.height)
    shown = track(frames, description="rendering", total=asked.frames)
    video = asked.run / f"video.{asked.format}"
    replace_atomically(video, lambda path: write_video(path, shown, asked.fps))
    print(f"{video} ({asked.frames} frames, left: colour, right: depth)")
    return 0


def trained_model(checkpoint: Path) -> Nerf:
    """The model in a run's checkpoint; raises `InputError` where there is none."""
    import torch

    from nerf.checkpoint import load_checkpoint
    from nerf.model import Nerf
    from nerf.parameters import build

    state = load_checkpoint(checkpoint)
    model = Nerf(build(state["config"]), torch.Generator())
    model.load_state_dict(state["model"])
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def camera_path(scene: Scene, asked: argparse.Namespace) -> Float32:
    """The poses of the flight that was asked for."""
    from nerf import orbit

    forward_facing = asked.path == "auto" and orbit.is_forward_facing(scene)
    if asked.path == "cameras" or forward_facing:
        return orbit.through_cameras(scene, asked.frames)
    radius = orbit.typical_radius(scene) if asked.radius is None else asked.radius
    elevation = orbit.typical_elevation(scene) if asked.elevation is None else asked.elevation
    return orbit.orbit(asked.frames, radius, elevation)


def flight(model: Nerf, scene: Scene, poses: Float32, height: int) -> Iterator[np.ndarray]:
    """One picture (height, 2 width, 3) uint8 a pose; both sides even, as video coders want."""
    import numpy as np
    import torch

    from nerf.cameras import pixel_directions
    from nerf.evaluation import render_rays

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


if __name__ == "__main__":
    sys.exit(exit_status(main))
