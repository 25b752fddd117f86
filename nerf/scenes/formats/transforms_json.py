"""Views of transforms.json files, which Blender scenes and instant-ngp captures share."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from nerf.scenes.formats.capture import Float64, View
from nerf.scenes.formats.find_images import ImageFinder, Shrunk, choose_shrunk
from nerf.scenes.formats.image_files import image_size
from nerf.scenes.formats.json_cameras import (
    disagreeing_focal,
    read_intrinsics,
    read_size,
)
from nerf.scenes.formats.json_file import JsonFile
from nerf.scenes.formats.mask_files import MaskFolder
from nerf.scenes.formats.rigid_poses import make_rigid, with_four_rows
from nerf.scenes.formats.scene_checks import MAX_VIEWS, MIN_VIEWS, scene_error


@dataclass(frozen=True)
class Frames:
    """The views of one file whose images exist, and lines about what was changed or left out.

    names: the `file_path` of each view
    """

    views: list[View]
    names: list[str]
    missing: list[str]
    notes: list[str]


def read_frames(file: JsonFile, downscale: int) -> tuple[Frames, Shrunk]:
    """The views of a file, and which copies of the images they are.

    Frames without an image are left out. All images come from one folder or from its downscaled
    copy (find_images.py).
    """
    frames = _checked_frames(file)
    matrices = [np.array(frame["transform_matrix"], np.float64) for frame in frames]
    poses, notes = make_rigid(
        file.path,
        np.concatenate([with_four_rows(m[None]) for m in matrices]),
        [str(frame["file_path"]) for frame in frames],
    )
    finder = ImageFinder(file.folder, file.path, file.follow_links)
    masks = MaskFolder(file.folder, file.path, file.follow_links)
    shrunk = _choose_folder(file.folder, frames, downscale)
    views, names, missing, disagreeing = [], [], [], set()
    for frame, pose in zip(frames, poses, strict=True):
        image = finder.find(_moved(frame["file_path"], shrunk))
        if image is None:
            missing.append(str(frame["file_path"]))
            continue
        camera = {**file.data, **frame}
        size = read_size(file.path, camera) or _original_size(finder, frame, image, shrunk)
        intrinsics = read_intrinsics(file.path, camera, size)
        disagreeing.add(disagreeing_focal(file.path, camera, size))
        names.append(str(frame["file_path"]))
        mask, mask_is_inverted = _mask(finder, masks, frame, image, shrunk)
        views.append(
            View(
                file=image,
                pose=pose,
                focal=intrinsics.focal,
                centre=intrinsics.centre,
                lens=intrinsics.lens,
                mask=mask,
                mask_is_inverted=mask_is_inverted,
                size=intrinsics.size,
            )
        )
    notes += [note for note in (shrunk.note, *sorted(disagreeing)) if note]
    return Frames(views, names, missing, [*notes, *finder.notes(), *masks.notes()]), shrunk


def require_images(file: JsonFile, frames: Frames) -> None:
    """Raises `InputError` if missing images leave too few for a scene."""
    count, missing = len(frames.views), frames.missing
    if not missing or count >= MIN_VIEWS:
        return
    existing = (
        f"only {count} of its {count + len(missing)} images exist"
        if count
        else (f"none of its {len(missing)} images exists")
    )
    raise scene_error(
        file.path,
        f"{existing}, the first that is missing is {missing[0][:80]}; copy them into the folder of "
        f"{file.path.name}",
    )


def without_repeats(views: list[View]) -> tuple[list[View], list[int]]:
    """The views without those of the same image and pose, and for each view its index therein."""
    kept: list[View] = []
    by_file: dict[Path, int] = {}
    indices = []
    for view in views:
        first = by_file.get(view.file)
        if first is not None and np.allclose(kept[first].pose, view.pose, atol=1e-6):
            indices.append(first)
            continue
        by_file.setdefault(view.file, len(kept))
        indices.append(len(kept))
        kept.append(view)
    return kept, indices


def with_poses(views: list[View], poses: Float64) -> list[View]:
    """The views with other poses (views, 4, 4)."""
    return [replace(view, pose=pose) for view, pose in zip(views, poses, strict=True)]


def _checked_frames(file: JsonFile) -> list[dict[str, Any]]:
    """The list `frames`; each has a `file_path` and a numeric 3 x 4 or 4 x 4 `transform_matrix`."""
    where, frames = file.path, file.data.get("frames")
    if not isinstance(frames, list) or not frames:
        raise scene_error(where, "has no `frames`; it must list an image and a pose for each")
    if len(frames) > MAX_VIEWS:
        raise scene_error(where, f"has {len(frames)} frames, at most {MAX_VIEWS} are read")
    for index, frame in enumerate(frames):
        if not isinstance(frame, dict) or "file_path" not in frame:
            raise scene_error(where, f"frame {index} has no `file_path`; name its image there")
        matrix = frame.get("transform_matrix")
        rows = matrix if isinstance(matrix, list) else []
        shape = [len(row) if isinstance(row, list) else 0 for row in rows]
        if shape not in ([4, 4, 4], [4, 4, 4, 4]):
            raise scene_error(
                where,
                f"frame {index} has no 3 x 4 or 4 x 4 `transform_matrix`; give its pose there",
            )
        values = [value for row in rows for value in row]
        if not all(type(value) in (int, float) for value in values):
            raise scene_error(where, f"the `transform_matrix` of frame {index} must hold numbers")
        if any(abs(value) > 1e30 for value in values):
            raise scene_error(where, f"the `transform_matrix` of frame {index} has absurd numbers")
    return frames


def _choose_folder(folder: Path, frames: list[dict[str, Any]], downscale: int) -> Shrunk:
    """The folder of the first image, or its downscaled copy."""
    top = _top_folder(frames[0]["file_path"])
    return (choose_shrunk(folder / top, downscale) if top else None) or Shrunk(folder / top)


def _top_folder(name: object) -> str:
    """The first folder of a relative image name, or an empty text."""
    path = PurePosixPath(str(name).replace("\\", "/"))
    return path.parts[0] if len(path.parts) > 1 and path.parts[0] not in ("/", "..") else ""


def _moved(name: object, shrunk: Shrunk) -> object:
    """An image's name in the copy of its folder that is read."""
    top = _top_folder(name)
    if shrunk.factor == 1 or not top:
        return name
    rest = PurePosixPath(str(name).replace("\\", "/")).relative_to(top)
    return str(PurePosixPath(f"{top}_{shrunk.factor}") / rest)


def _original_size(
    finder: ImageFinder, frame: dict[str, Any], image: Path, shrunk: Shrunk
) -> tuple[int, int]:
    """The size that a frame's camera is for, if the file does not give it: the original image's."""
    if shrunk.factor == 1:
        return image_size(image)
    original = finder.find(frame["file_path"])
    if original is not None:
        return image_size(original)
    width, height = image_size(image)
    return width * shrunk.factor, height * shrunk.factor


def _mask(
    finder: ImageFinder, masks: MaskFolder, frame: dict[str, Any], image: Path, shrunk: Shrunk
) -> tuple[Path | None, bool]:
    """A frame's mask, and whether it is inverted.

    It is `mask_path`; or instant-ngp's dynamic_mask_NAME.png beside the image, which is inverted;
    or in `masks/` under the image's name.
    """
    if "mask_path" not in frame:
        beside = image.with_name(f"dynamic_mask_{image.stem}.png")
        if beside.is_file():
            return beside, True
        return masks.find(_without_images_folder(image, finder.folder)), False
    mask = finder.find_exactly(_moved(frame["mask_path"], shrunk))
    mask = mask or finder.find_exactly(frame["mask_path"])
    if mask is None:
        raise scene_error(
            finder.where,
            f"the mask {str(frame['mask_path'])[:80]!r} is missing; copy it, or remove "
            "`mask_path` from every frame",
        )
    masks.mark_used(mask)
    return mask, False


def _without_images_folder(image: Path, scene: Path) -> str:
    """An image's path within its scene, and within `images` or `images_N` if it lies there."""
    name = image.relative_to(scene) if image.is_relative_to(scene) else PurePosixPath(image.name)
    return re.sub(r"^images(_\d+)?/", "", name.as_posix())
