"""Writes a scene in the format of examples/survey_plugin.py."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from nerf.scenes.scene import Scene


def write_survey(folder: Path, scene: Scene) -> Path:
    """The images and cameras of a scene, in metres far from the origin."""
    folder.mkdir()
    rows = []
    for view, image in enumerate(scene.images):
        Image.fromarray(np.rint(255 * image).astype(np.uint8)).save(folder / f"{view:02d}.png")
        pose = scene.world_from_camera[view, :3].astype(float)
        pose[:, 3] = 10 * pose[:, 3] + (300, 200, 100)
        rows.append([f"{view:02d}.png", scene.focal[view, 0], *pose.ravel()])
    with (folder / "cameras.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder
