"""Reads folders with transforms_{train,val,test}.json: Blender's synthetic scenes, and captures."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np

from nerf.scenes.bounds.pose_conventions import with_convention_warning
from nerf.scenes.cameras.canonical_frame import (
    CAMERA_DISTANCE,
    focus_point,
    to_canonical_frame,
)
from nerf.scenes.formats.capture import Background, Capture, View, build_scene
from nerf.scenes.formats.json_file import JsonFile, unused_keys
from nerf.scenes.formats.transforms_json import (
    read_frames,
    require_images,
    with_poses,
    without_repeats,
)
from nerf.scenes.scene import Scene, Split

_MAX_UNITS = 3.0  # times the usual distance, or a third of it


def load_blender(
    folder: Path, downscale: int, background: Background, follow_links: bool = False
) -> Scene:
    """Loads a scene with its own split; frames without an image are left out and counted."""
    files: dict[Split, JsonFile] = {
        split: JsonFile.read(path, follow_links)
        for split in get_args(Split)
        if (path := folder / f"transforms_{split}.json").exists()
    }
    views: list[View] = []
    parts: dict[Split, range] = {}
    notes: list[str] = []
    remaining = downscale
    for split, file in files.items():
        frames, shrunk = read_frames(file, downscale)
        if split == "train":
            require_images(file, frames)
        if frames.missing:
            count, first = len(frames.missing), frames.missing[0][:80]
            notes.append(f"{count} {split} images are missing and left out, the first is {first}")
        parts[split] = range(len(views), len(views) + len(frames.views))
        views += frames.views
        notes += [note for note in frames.notes if note not in notes]
        remaining = shrunk.remaining(downscale)
    views, indices = without_repeats(views)
    stated_poses = np.stack([view.pose for view in views])
    views = _in_usual_units(views, notes)
    capture = Capture(
        name=folder.resolve().name,
        file=files["train"].path,
        description="Blender scene",
        views=views,
        splits={split: tuple(indices[view] for view in part) for split, part in parts.items()},
        notes=(*notes, *unused_keys(files.values())),
    )
    return with_convention_warning(build_scene(capture, remaining, background), stated_poses)


def _in_usual_units(views: list[View], notes: list[str]) -> list[View]:
    """The views as they are; in the canonical frame if its units are far from the scene's own.

    Synthetic scenes have it already, captures in this layout may be in metres or anything else.
    """
    poses = np.stack([view.pose for view in views])
    distance = np.linalg.norm(poses[:, :3, 3] - focus_point(poses), axis=1).mean()
    if 1 / _MAX_UNITS < distance / CAMERA_DISTANCE < _MAX_UNITS:
        return views
    notes.append(
        f"the cameras are {distance:.3g} units from what they look at: scaled and moved to have it "
        f"at the origin, {CAMERA_DISTANCE:g} units away"
    )
    return with_poses(views, to_canonical_frame(poses, np.empty((0, 3)))[0])
