"""Reads Blender folders, the NeRF paper's synthetic scenes: transforms_{train,val,test}.json."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from nerf.scenes.formats.capture import Background, Capture, View, build_scene
from nerf.scenes.formats.image_files import image_size
from nerf.scenes.formats.transforms_json import focal_from_angle, frame_image, read_frames
from nerf.scenes.formats.untrusted_files import read_json
from nerf.scenes.scene import Scene, Split, split_views


def load_blender(folder: Path, downscale: int, background: Background) -> Scene:
    """Loads a scene with its own split; a missing split is taken from the training views."""
    views: list[View] = []
    splits: dict[Split, tuple[int, ...]] = {}
    for split in get_args(Split):
        file = folder / f"transforms_{split}.json"
        if file.exists():
            added = _read_views(folder, file)
            splits[split] = tuple(range(len(views), len(views) + len(added)))
            views += added
    _complete_splits(splits)
    capture = Capture(
        folder.resolve().name, folder / "transforms_train.json", "Blender scene", views, splits
    )
    return build_scene(capture, downscale, background)


def _read_views(folder: Path, file: Path) -> list[View]:
    data = read_json(file)
    frames = read_frames(file, data)
    paths = [frame_image(folder, frame["file_path"], file) for frame in frames]
    width, height = image_size(paths[0])
    focal = focal_from_angle(file, data, width)
    return [
        View(
            path, np.array(frame["transform_matrix"], float), (focal,) * 2, (width / 2, height / 2)
        )
        for path, frame in zip(paths, frames, strict=True)
    ]


def _complete_splits(splits: dict[Split, tuple[int, ...]]) -> None:
    """Moves every 8th training view to each split that is missing."""
    original = splits["train"]
    by_rule = split_views(len(original))
    for split in ("val", "test"):
        if split not in splits:
            splits[split] = tuple(original[index] for index in by_rule[split])
            splits["train"] = tuple(v for v in splits["train"] if v not in splits[split])
