"""Scenes whose cameras stand in a table, by `--plugin examples/survey_plugin.py`.

A folder with cameras.csv: a row for each picture, with its file, the focal length in pixels and the
first three rows of its camera-to-world matrix (x right, y up, looking along -z).
"""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from nerf.plugins import Capture, View, register_scene_format, to_canonical_frame


@register_scene_format("survey")
def read_survey(folder: Path) -> Capture | None:
    table = folder / "cameras.csv"
    if not table.is_file():
        return None
    rows = list(csv.reader(table.read_text().splitlines()))
    poses = np.array([[*row[2:], 0, 0, 0, 1] for row in rows], float).reshape(-1, 4, 4)
    poses, _, _ = to_canonical_frame(poses, points=np.empty((0, 3)))  # metres to our units
    views = []
    for (name, focal, *_), pose in zip(rows, poses, strict=True):
        width, height = Image.open(folder / name).size
        views.append(
            View(folder / name, pose, (float(focal), float(focal)), (width / 2, height / 2))
        )
    return Capture(folder.name, table, "survey", views)
