"""Blender folders, the synthetic scenes of the NeRF paper: transforms_{train,val,test}.json."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from nerf.scenes.formats.capture import Background, Capture, View, build_scene
from nerf.scenes.formats.image_files import image_size
from nerf.scenes.formats.untrusted_files import focal_from_angle, frames, image_path, read_json
from nerf.scenes.scene import Scene, Split, split_views


def load_blender(folder: Path, downscale: int, background: Background) -> Scene:
    """The scene with its own split; parts that it lacks are taken from its training views."""
    views: list[View] = []
    splits: dict[Split, tuple[int, ...]] = {}
    for split in get_args(Split):
        file = folder / f"transforms_{split}.json"
        if file.exists():
            new = _views(folder, file)
            splits[split] = tuple(range(len(views), len(views) + len(new)))
            views += new
    _complete(splits)
    capture = Capture(
        folder.resolve().name, folder / "transforms_train.json", "Blender scene", views, splits
    )
    return build_scene(capture, downscale, background)


def _views(folder: Path, file: Path) -> list[View]:
    data = read_json(file)
    listed = frames(file, data)
    paths = [image_path(folder, frame["file_path"], file) for frame in listed]
    width, height = image_size(paths[0])
    focal = focal_from_angle(file, data, width)
    return [
        View(
            path, np.array(frame["transform_matrix"], float), (focal,) * 2, (width / 2, height / 2)
        )
        for path, frame in zip(paths, listed, strict=True)
    ]


def _complete(splits: dict[Split, tuple[int, ...]]) -> None:
    """Takes every 8th training view for a part that is missing."""
    shown = splits["train"]
    spare = split_views(len(shown))
    for split in ("val", "test"):
        if split not in splits:
            splits[split] = tuple(shown[index] for index in spare[split])
            splits["train"] = tuple(v for v in splits["train"] if v not in splits[split])
