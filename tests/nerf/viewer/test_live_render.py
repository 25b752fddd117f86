from __future__ import annotations

import math
import socket
import time
from types import SimpleNamespace

import numpy as np
import pytest

from nerf import view
from nerf.evaluation.evaluate import render_view
from nerf.scenes.scene import Scene
from nerf.viewer.live_render import BrowserCamera, RenderSettings, camera_of, render_image
from tests.nerf.surface.analytic_ball import ball_model

SETTINGS = RenderSettings(pixels=24 * 24, what="colour", near=2.0, far=6.0)


def test_the_browser_sees_what_a_view_renders(ball: Scene) -> None:
    model = ball_model(64)
    expected = render_view(model, ball, 2)
    fov = 2 * math.atan(ball.height / 2 / float(ball.focal[2, 1]))
    camera = BrowserCamera(ball.world_from_camera[2], fov, 1.0)
    image = render_image(model, camera, SETTINGS, ball.background)
    np.testing.assert_allclose(image.rgb, 255 * expected.rgb.numpy(), atol=1)
    assert image.depth.shape == (24, 24, 1)
    # The middle of the ball is 3.472 away: |4 (1, 0, .5)| - 1; at the rim, rays miss it.
    assert image.depth[12, 12, 0] == pytest.approx(math.hypot(4, 2) - 1, abs=0.1)
    assert image.depth[0, 0, 0] < 6  # along the axis, not along the ray


def test_near_and_far_of_the_panel_cut_the_ball_away(ball: Scene) -> None:
    camera = BrowserCamera(ball.world_from_camera[2], 1.0, 1.0)
    nothing = RenderSettings(pixels=100, what="colour", near=0.5, far=3.0)
    assert render_image(ball_model(64), camera, nothing, ball.background).rgb.max() == 0


def test_axes_of_a_browser_camera_are_turned_to_ours() -> None:
    # x right, y down, z ahead: without rotation it looks along +z, i.e. ours is turned about x.
    seen = SimpleNamespace(
        camera=SimpleNamespace(wxyz=(1.0, 0.0, 0.0, 0.0), position=(1, 2, 3), fov=0.7, aspect=1.5)
    )
    camera = camera_of(seen)
    np.testing.assert_array_equal(camera.pose[:3, :3], np.diag([1, -1, -1]))
    np.testing.assert_array_equal(camera.pose[:3, 3], [1, 2, 3])


def test_the_server_listens_on_loopback_and_serves_the_page(ball: Scene) -> None:
    import urllib.request

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = view.start_server(ball_model(32), ball, "127.0.0.1", port)
    try:
        address = f"http://127.0.0.1:{server.get_port()}"
        deadline = time.monotonic() + 20
        while True:
            try:
                assert urllib.request.urlopen(address, timeout=5).status == 200
                break
            except OSError:
                assert time.monotonic() < deadline
        assert server.get_host() == "127.0.0.1"
    finally:
        server.stop()
