"""Interactive viewer of a trained NeRF: `python nerf/view.py RUN_FOLDER`, then open the address."""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.common.command_line import Parser, add_plugin_option, exit_status
from nerf.common.commands import command_line, command_name
from nerf.common.errors import InputError
from nerf.config.plugin import load_named
from nerf.run.flythrough import load_model
from nerf.run.run_folder import CHECKPOINT, read_run

if TYPE_CHECKING:
    from nerf.config.schema import Sampling
    from nerf.model.nerf import Nerf
    from nerf.scenes.scene import Scene
    from nerf.viewer.live_render import LiveRender

_POINT_VIEWS, _POINT_PIXELS = 12, 6_000
_START_DEGREES = 12.0


def main(arguments: list[str] | None = None) -> int:
    """Serves the viewer on this machine until Ctrl-C."""
    return exit_status(lambda: _view(parse_options(arguments)))


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; raises `InputError` for unknown options and values out of range."""
    parser = Parser(
        "Look at a trained NeRF in a browser: its renders, cameras, bounds and surface points.",
        examples=(
            command_line("nerf/view.py", "runs/mine"),
            command_line("nerf/view.py", "runs/mine", "--port", 9000),
        ),
    )
    program = command_name("nerf/train.py")
    add_plugin_option(parser)
    parser.add_argument("run", type=Path, help=f"a run folder that {program} created")
    parser.add_argument("--port", type=int, default=8080, help="default: 8080, or the next free")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: 127.0.0.1, this machine alone); anyone who reaches "
        "it sees the photographs",
    )
    options = parser.parse(arguments)
    load_named(options.plugin or [])
    if not 0 < options.port < 65536:
        raise InputError(f"--port must lie in 1..65535, got {options.port}")
    if importlib.util.find_spec("viser") is None:
        raise InputError("the viewer needs viser; pip install 'nerf-study[view]'")
    return options


def _view(options: argparse.Namespace) -> int:
    source, config = read_run(options.run)

    # Imported once the options are known to be valid: slow.
    import dataclasses

    from nerf.scenes.scene import Bounds

    scene = source.load()
    sampling = config.sampling
    scene = dataclasses.replace(
        scene, bounds=Bounds(sampling.near, sampling.far, "the run's configuration")
    )
    server = start_server(load_model(options.run / CHECKPOINT), scene, options.host, options.port)
    print(f"open http://{options.host}:{server.get_port()} in a browser; Ctrl-C ends", flush=True)
    try:
        threading.Event().wait()
    finally:
        server.stop()
    return 0


def start_server(model: Nerf, scene: Scene, host: str, port: int) -> Any:
    """A running viser server that shows `scene` and what `model` renders."""
    import viser
    from rich.progress import track

    from nerf.surface.depth_maps import depth_maps
    from nerf.viewer.controls import Controls
    from nerf.viewer.live_render import LiveRender
    from nerf.viewer.scene_objects import add_bounds, add_cameras, add_points

    views = scene.train[:: -(-len(scene.train) // _POINT_VIEWS)]
    rendered = depth_maps(model, scene, views, _POINT_PIXELS)
    maps = list(track(rendered, description="surface points", total=len(views), transient=True))

    server = viser.ViserServer(host, port, label=scene.name, verbose=False)
    server.scene.set_up_direction("+z")
    add_cameras(server, scene)
    add_bounds(server, scene)
    points = add_points(server, maps)
    controls = Controls(server, scene, points)
    renders: dict[int, LiveRender] = {}

    def connect(client: Any) -> None:
        _look_from_beside_first_camera(client, scene, model.config.sampling)
        render = LiveRender(client, model, scene.background, controls.settings)
        renders[client.client_id] = render
        render.start()

    def disconnect(client: Any) -> None:
        renders.pop(client.client_id).stop()

    def refresh() -> None:
        for render in list(renders.values()):
            render.refresh()

    server.on_client_connect(connect)
    server.on_client_disconnect(disconnect)
    controls.on_change(refresh)
    return server


def _look_from_beside_first_camera(client: Any, scene: Scene, sampling: Sampling) -> None:
    """Lets a client look as the first training view does, from beside it.

    As far away, because near and far are distances from the camera; beside it, because its own
    photograph would hide the object.
    """
    from scipy.spatial.transform import Rotation

    from nerf.model.spacing import spacing_ends, to_distance

    view = scene.train[0]
    pose = scene.world_from_camera[view].astype(float)
    middle = to_distance(sum(spacing_ends(sampling)) / 2, sampling.spacing)
    target = pose[:3, 3] - middle * pose[:3, 2]
    around = Rotation.from_euler("z", _START_DEGREES, degrees=True)
    client.camera.position = target + around.apply(pose[:3, 3] - target)
    client.camera.look_at = target
    height = scene.images.frame(view)[2]
    client.camera.fov = 2 * math.atan(height / 2 / float(scene.focal[view, 1]))


if __name__ == "__main__":
    sys.exit(main())
