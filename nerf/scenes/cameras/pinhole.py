"""An ideal pinhole camera that belongs to no scene: of a depth map, a video or a browser."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nerf.scenes.cameras.pixel_rays import pixel_directions
from nerf.scenes.scene import Float32


@dataclass(frozen=True)
class Pinhole:
    """A camera without distortion: pose is world_from_camera (4, 4), the rest in pixels."""

    pose: Float32
    focal: Float32
    """Across and down, (2,)."""
    centre: Float32
    """Column and row of the principal point, (2,)."""
    height: int
    width: int

    def directions(self) -> Float32:
        """Unit directions in the world, (height, width, 3), through the centres of the pixels."""
        columns, rows = np.arange(self.width), np.arange(self.height)
        return pixel_directions(self.pose, self.focal, self.centre, columns, rows)
