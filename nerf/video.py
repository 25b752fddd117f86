"""A flight around a trained field: `python nerf/video.py RUN_FOLDER` writes RUN_FOLDER/video.mp4.

Each frame shows colour on the left and depth on the right: near is bright, far and empty dark.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.run.flythrough import flight, trained_model, write_video
from nerf.run.folder import CHECKPOINT, read_beginning

if TYPE_CHECKING:
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

    from nerf.common.files import replace_atomically

    scene = source.load()
    model = trained_model(asked.run / CHECKPOINT)
    frames = flight(model, scene, camera_path(scene, asked), asked.height or scene.height)
    shown = track(frames, description="rendering", total=asked.frames)
    video = asked.run / f"video.{asked.format}"
    replace_atomically(video, lambda path: write_video(path, shown, asked.fps))
    print(f"{video} ({asked.frames} frames, left: colour, right: depth)")
    return 0


def camera_path(scene: Scene, asked: argparse.Namespace) -> Float32:
    """The poses of the flight that was asked for."""
    from nerf.scenes.cameras import camera_paths

    forward_facing = asked.path == "auto" and camera_paths.is_forward_facing(scene)
    if asked.path == "cameras" or forward_facing:
        return camera_paths.path_through_cameras(scene, asked.frames)
    radius = camera_paths.typical_radius(scene) if asked.radius is None else asked.radius
    elevation = (
        camera_paths.typical_elevation(scene) if asked.elevation is None else asked.elevation
    )
    return camera_paths.orbit_path(asked.frames, radius, elevation)


if __name__ == "__main__":
    sys.exit(exit_status(main))
