"""The viewer's panel: what is rendered and how finely, near and far, and what is drawn over it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nerf.scenes.scene import Scene
from nerf.viewer.live_render import RenderSettings


class Controls:
    """The panel beside the picture."""

    def __init__(self, server: Any, scene: Scene, points: Any) -> None:
        gui = server.gui
        near, far = scene.bounds.near, scene.bounds.far
        gui.add_markdown(
            f"**{scene.name}**: {len(scene.images)} views; cameras: blue train, green validation, "
            f"red test. Orange: near {near:.2f}, violet: far {far:.2f} of the first training view."
        )
        self._what = gui.add_dropdown("render", ("colour", "depth", "nothing"))
        self._pixels = gui.add_slider("kilopixels when still", 10, 500, 10, 60)
        # Rounded outwards to the sliders' step, so that the run's own bounds stay within them.
        end = math.ceil(20 * far) / 10
        self._near = gui.add_slider("near", 0.0, end, 0.01, round(near, 2))
        self._far = gui.add_slider("far", 0.0, end, 0.01, round(far, 2))
        shown = {
            "cameras": gui.add_checkbox("cameras", True),
            "bounds": gui.add_checkbox("near and far", True),
        }
        for name, box in shown.items():
            parent = server.scene.add_frame(f"/{name}", show_axes=False)
            box.on_update(lambda _, box=box, parent=parent: setattr(parent, "visible", box.value))
        point_box = gui.add_checkbox("surface points", False)
        point_box.on_update(lambda _: setattr(points, "visible", point_box.value))

    def settings(self) -> RenderSettings:
        """What to render now."""
        what = self._what.value
        pixels = 0 if what == "nothing" else int(1000 * self._pixels.value)
        far = max(self._far.value, self._near.value + 0.01)
        return RenderSettings(pixels, what, self._near.value, far)

    def on_change(self, call: Callable[[], object]) -> None:
        """Calls `call` after each change of a control that changes the image."""
        for control in (self._what, self._pixels, self._near, self._far):
            control.on_update(lambda _: call())
