"""Exports a trained NeRF: `python nerf/export.py RUN_FOLDER` writes points.ply and mesh.ply."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.command_line import Parser, add_plugin_option, exit_status
from nerf.common.commands import command_line, command_name
from nerf.common.errors import InputError
from nerf.config.plugin import load_named
from nerf.run.flythrough import load_model
from nerf.run.run_folder import CHECKPOINT, read_run

if TYPE_CHECKING:
    from nerf.surface.depth_maps import DepthMap

POINTS, MESH = "points.ply", "mesh.ply"

_MAX_VIEWS = 60
_POINTS_DEFAULT = 200_000


def main(arguments: list[str] | None = None) -> int:
    """Renders depth maps with a progress bar, and writes points and mesh into the run folder."""
    return exit_status(lambda: _export(parse_options(arguments)))


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; raises `InputError` for unknown options and values out of range."""
    parser = Parser(
        "Export a trained NeRF as a coloured point cloud and a triangle mesh, in scene units.",
        examples=(
            command_line("nerf/export.py", "runs/mine"),
            command_line("nerf/export.py", "runs/mine", "--resolution", 256, "--only", "mesh"),
        ),
    )
    program = command_name("nerf/train.py")
    add_plugin_option(parser)
    parser.add_argument("run", type=Path, help=f"a run folder that {program} created")
    parser.add_argument(
        "--only", choices=("points", "mesh"), help="write only one of them (default: both)"
    )
    parser.add_argument(
        "--points",
        type=int,
        default=_POINTS_DEFAULT,
        metavar="N",
        help=f"points of the cloud, at most (default: {_POINTS_DEFAULT})",
    )
    parser.add_argument(
        "--resolution",
        type=int,
        default=160,
        metavar="N",
        help="grid points along the longest side of the mesh (default: 160); memory and time grow "
        "with its cube",
    )
    options = parser.parse(arguments)
    load_named(options.plugin or [])
    if options.points < 1:
        raise InputError(f"--points must be at least 1, got {options.points}")
    if not 16 <= options.resolution <= 640:
        raise InputError(f"--resolution must lie in 16..640, got {options.resolution}")
    if options.only != "points" and importlib.util.find_spec("skimage") is None:
        raise InputError(
            "a mesh needs scikit-image, which is not installed; pip install 'nerf-study[mesh]', or "
            "write --only points"
        )
    return options


def _export(options: argparse.Namespace) -> int:
    maps = _render_depth_maps(options.run, options.points)
    if not any(each.hit.any() for each in maps):
        raise InputError(
            f"{options.run} shows no surface: less than half of the light is stopped on every ray; "
            "train it longer, or look at its render.png"
        )
    if options.only != "mesh":
        _write_points(options.run / POINTS, maps, options.points)
    if options.only != "points":
        _write_mesh(options.run / MESH, maps, options.resolution)
    return 0


def _render_depth_maps(run: Path, points: int) -> list[DepthMap]:
    """The depth map of each training view, or of `_MAX_VIEWS` that are spread over them."""
    source, _ = read_run(run)

    # Imported once the options are known to be valid: slow.
    from rich.progress import track

    from nerf.surface.depth_maps import depth_maps

    scene = source.load()
    model = load_model(run / CHECKPOINT)
    views = scene.train[:: -(-len(scene.train) // _MAX_VIEWS)]
    # A depth map needs no more pixels than make the cloud four times over: many hit nothing.
    pixels = max(4 * points // len(views), 10_000)
    rendered = depth_maps(model, scene, views, pixels)
    return list(track(rendered, description="rendering depth", total=len(views), transient=True))


def _write_points(path: Path, maps: list[DepthMap], limit: int) -> None:
    """Writes the surface points of all maps, thinned at random to `limit`."""
    import torch

    from nerf.common.files import replace_atomically
    from nerf.surface.ply_file import write_ply

    points = torch.cat([each.points[each.hit] for each in maps])
    rgb = torch.cat([each.rgb[each.hit] for each in maps])
    chosen = torch.randperm(len(points), generator=torch.Generator().manual_seed(0))[:limit]
    colours = (rgb[chosen] * 255 + 0.5).byte().numpy()
    replace_atomically(path, lambda file: write_ply(file, points[chosen].numpy(), colours))
    print(f"{path} ({len(chosen)} points)")


def _write_mesh(path: Path, maps: list[DepthMap], resolution: int) -> None:
    import torch
    from rich.progress import track

    from nerf.common.files import replace_atomically
    from nerf.surface.fusion import fuse, surface_extent
    from nerf.surface.mesh import extract_mesh
    from nerf.surface.ply_file import write_ply

    extent = surface_extent(torch.cat([each.points[each.hit] for each in maps]))
    fused = track(maps, description="fusing", total=len(maps), transient=True)
    mesh = extract_mesh(fuse(fused, extent, resolution))
    replace_atomically(path, lambda file: write_ply(file, mesh.vertices, mesh.colours, mesh.faces))
    print(f"{path} ({len(mesh.vertices)} vertices, {len(mesh.faces)} triangles)")


if __name__ == "__main__":
    sys.exit(main())
