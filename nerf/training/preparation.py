"""What every run needs of a scene, computed once."""

from __future__ import annotations

from nerf.evaluation.trivial_baselines import trivial_psnrs
from nerf.scenes.backdrop import content_windows
from nerf.scenes.scene import Scene
from nerf.training.pixels import direction_extremes


def prepare(scene: Scene) -> Scene:
    """Returns the scene, which now carries these values to the processes that it is sent to.

    They take seconds for large images: its hash, the boxes of its content, the extremes of its
    rays, and the PSNR of trivial images.
    """
    _ = scene.content_hash
    content_windows(scene, list(scene.train))
    direction_extremes(scene)
    trivial_psnrs(scene)
    return scene
