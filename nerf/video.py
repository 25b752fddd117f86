"""Fly-through of a trained NeRF: `python nerf/video.py RUN_FOLDER` writes RUN_FOLDER/video.mp4.

Each frame shows colour on the left and depth on the right: white is near, black far or empty.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.command_line import Parser, add_plugin_option, exit_status
from nerf.common.commands import command_line, command_name
from nerf.common.errors import InputError
from nerf.config.plugin import load_named
from nerf.run.flythrough import load_model, render_flythrough, write_video
from nerf.run.run_folder import CHECKPOINT, read_run

if TYPE_CHECKING:
    from nerf.scenes.scene import Float32, Scene

FORMATS = ("mp4", "gif")


def main(arguments: list[str] | None = None) -> int:
    """Renders the video with a progress bar."""
    return exit_status(lambda: _video_command(parse_options(arguments)))


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; raises `InputError` for unknown options and values out of range."""
    parser = Parser(
        "Render a video of a trained NeRF: colour beside depth.",
        examples=(
            command_line("nerf/video.py", "runs/mine"),
            command_line("nerf/video.py", "runs/mine", "--format", "gif", "--height", 200),
        ),
    )
    program = command_name("nerf/train.py")
    add_plugin_option(parser)
    parser.add_argument("run", type=Path, help=f"a run folder that {program} created")
    add = parser.add_argument
    add("--frames", type=int, metavar="N", default=60, help="number of frames (default: 60)")
    add("--fps", type=int, metavar="N", default=15, help="frames per second (default: 15)")
    radius = "distance of an orbit from the origin, scene units (default: that of the cameras)"
    add("--radius", type=float, metavar="R", help=radius)
    elevation = "degrees of an orbit above the horizon, -89 to 89 (default: that of the cameras)"
    add("--elevation", type=float, metavar="E", help=elevation)
    add("--height", type=int, metavar="H", help="pixels (default: height of the images)")
    parser.add_argument(
        "--path",
        choices=("auto", "orbit", "cameras"),
        default="auto",
        help="an orbit around the origin or a path through the training cameras "
        "(auto: the cameras for a forward-facing capture, else an orbit)",
    )
    parser.add_argument("--format", choices=FORMATS, default="mp4", help="default: mp4")
    options = parser.parse(arguments)
    load_named(options.plugin or [])
    if (
        options.frames < 2
        or options.fps < 1
        or (options.height is not None and options.height < 16)
    ):
        raise InputError("--frames must be at least 2, --fps at least 1, --height at least 16")
    if options.elevation is not None and not -89 <= options.elevation <= 89:
        raise InputError(f"--elevation must be in -89..89 degrees, got {options.elevation:g}")
    if options.radius is not None and not 0 < options.radius < 1e6:
        raise InputError(f"--radius must be positive, got {options.radius:g}")
    return options


def _video_command(options: argparse.Namespace) -> int:
    source, _ = read_run(options.run)

    # Imported once the options are known to be valid: slow.
    from rich.progress import track

    from nerf.common.files import replace_atomically

    scene = source.load()
    model = load_model(options.run / CHECKPOINT)
    poses = _camera_path(scene, options)
    frames = render_flythrough(model, scene, poses, options.height or scene.images.frame(0)[2])
    tracked = track(frames, description="rendering", total=options.frames)
    video = options.run / f"video.{options.format}"
    replace_atomically(video, lambda path: write_video(path, tracked, options.fps))
    print(f"{video} ({options.frames} frames, left: colour, right: depth)")
    return 0


def _camera_path(scene: Scene, options: argparse.Namespace) -> Float32:
    """World_from_camera poses of the path that the options describe."""
    from nerf.scenes.cameras import camera_paths

    through_cameras = options.path == "cameras" or (
        options.path == "auto" and camera_paths.is_forward_facing(scene)
    )
    if through_cameras:
        return camera_paths.path_through_cameras(scene, options.frames)
    radius, elevation = options.radius, options.elevation
    if radius is None:
        radius = camera_paths.typical_radius(scene)
    if elevation is None:
        elevation = camera_paths.typical_elevation(scene)
    return camera_paths.orbit_path(options.frames, radius, elevation)


if __name__ == "__main__":
    sys.exit(main())
