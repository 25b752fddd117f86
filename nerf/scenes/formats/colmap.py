"""Loads COLMAP folders: a sparse reconstruction and the images that it was computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.bounds.suggest import from_distances
from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.formats.camera_models import from_colmap
from nerf.scenes.formats.capture import Background, Capture, Float64, View, build_scene
from nerf.scenes.formats.colmap_files import read_reconstruction
from nerf.scenes.formats.colmap_folders import Sparse
from nerf.scenes.formats.colmap_records import Camera, Image, Reconstruction
from nerf.scenes.formats.find_images import ImageFinder, Shrunk, choose_shrunk
from nerf.scenes.formats.mask_files import MaskFolder
from nerf.scenes.formats.named_splits import match_names
from nerf.scenes.formats.ply_points import read_points
from nerf.scenes.formats.scene_checks import check_poses, scene_error
from nerf.scenes.formats.untrusted_files import path_inside, regular_file
from nerf.scenes.scene import Bounds, Scene, Split

_MIN_OBSERVATIONS = 10  # of points in images, to take bounds from
_MAX_LIST_BYTES = 2**24


def load_colmap(
    folder: Path,
    sparse: Sparse,
    downscale: int,
    background: Background,
    follow_links: bool = False,
) -> Scene:
    """Loads a scene in the canonical frame, with its sparse points and bounds from them.

    Registered images without a file are left out and counted.
    """
    where = sparse.folder
    path_inside(folder, str(where.relative_to(folder)), folder, follow_links)
    reconstruction = read_reconstruction(where, follow_links)
    if not reconstruction.images:
        raise scene_error(where, "registers no image; run COLMAP's mapper again")
    names = sorted(image.name for image in reconstruction.images.values())
    photographs = _photographs(folder, sparse, names, downscale, follow_links)
    return load_model(
        folder, sparse, reconstruction, photographs, downscale, background, follow_links
    )


def load_model(
    folder: Path,
    sparse: Sparse,
    reconstruction: Reconstruction,
    photographs: Shrunk,
    downscale: int,
    background: Background,
    follow_links: bool = False,
) -> Scene:
    """Loads the scene of a reconstruction and of photographs that may be anywhere.

    `folder` names the scene, and may hold masks and lists of its splits.
    """
    where = sparse.folder
    finder = ImageFinder(photographs.folder, where, follow_links)
    masks = MaskFolder(folder, where, follow_links)
    views: dict[int, View] = {}
    missing = []
    for key, image in sorted(reconstruction.images.items(), key=lambda item: item[1].name):
        file = finder.find(image.name)
        if file is None:
            missing.append(image.name)
        else:
            view = _view(where, file, reconstruction.cameras[image.camera], image)
            views[key] = replace(view, mask=masks.find(image.name))
    if not views:
        raise scene_error(
            photographs.folder,
            f"has none of the {len(missing)} images of {where}, the first is {missing[0][:80]}; "
            "copy them there",
        )
    poses = np.stack([view.pose for view in views.values()])
    check_poses(where, poses, [view.file.name for view in views.values()])
    points = _points(where, reconstruction, follow_links)
    panoramas = all(view.lens.model == "equirectangular" for view in views.values())
    poses, points, _ = to_canonical_frame(poses, points, panoramas)
    view_of = {reconstruction.images[key].name: index for index, key in enumerate(views)}
    splits, split_notes = match_names(folder, _split_lists(folder, where), view_of)
    notes = [*sparse.notes, *filter(None, [photographs.note]), *finder.notes(), *masks.notes()]
    notes += split_notes
    if missing:
        notes.append(
            f"{len(missing)} registered images are missing and left out, the first is "
            f"{missing[0][:80]}"
        )
    capture = Capture(
        name=folder.resolve().name,
        file=where,
        description=f"COLMAP reconstruction with {len(points)} points",
        views=[replace(view, pose=pose) for view, pose in zip(views.values(), poses, strict=True)],
        splits=splits,
        points=points,
        bounds=_bounds(list(views), poses, points, reconstruction.observations),
        notes=tuple(notes),
    )
    return build_scene(capture, photographs.remaining(downscale), background)


def _photographs(
    folder: Path, sparse: Sparse, names: list[str], downscale: int, follow_links: bool
) -> Shrunk:
    """The folder of the images `names` that the reconstruction was computed from, or a shrunk copy.

    If none of the usual folders exists, it is the one that has the first image.
    """
    chosen = [choose_shrunk(folder / name, downscale) for name in sparse.photographs]
    for candidate in filter(None, chosen):
        relative = str(candidate.folder.relative_to(folder))
        return replace(candidate, folder=path_inside(folder, relative, folder, follow_links))
    usual = " or ".join(f"`{name}`" for name in sparse.photographs)
    for other in [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]:
        if ImageFinder(other, sparse.folder, follow_links).find_exactly(names[0]):
            return Shrunk(other, note=f"{other.name}/ is read, as there is no {usual}")
    remedy = "copy them into one"
    if sparse.folder == folder:
        remedy += ", or give the folder around it as --scene"
    raise scene_error(folder, f"has no folder {usual} with the photographs; {remedy}")


def _view(where: Path, file: Path, camera: Camera, image: Image) -> View:
    """Converts COLMAP's cam_from_world to world_from_camera in OpenGL's convention."""
    pose = np.eye(4)
    rotation = _rotation_matrix(where, image)
    # x_cam = R x + t, so world_from_camera is [R' | -R' t]. COLMAP's camera has y down and looks
    # along +z: negating those two columns gives y up and -z.
    pose[:3, :3] = rotation.T * np.array([1.0, -1.0, -1.0])
    pose[:3, 3] = -rotation.T @ np.array(image.translation)
    if camera.width < 1 or camera.height < 1:
        raise scene_error(where, f"has a camera of {camera.width} x {camera.height} pixels")
    size = camera.width, camera.height
    intrinsics = from_colmap(camera.model, camera.parameters, size)
    return View(file, pose, intrinsics.focal, intrinsics.centre, intrinsics.lens, size=size)


def _rotation_matrix(where: Path, image: Image) -> Float64:
    """The matrix of a quaternion (w, x, y, z), which must have length 1."""
    quaternion = np.array(image.rotation)
    length = float(np.linalg.norm(quaternion))
    if not abs(length - 1) < 1e-2:
        raise scene_error(
            where,
            f"the rotation of {image.name!r} has length {length:g}, must have length 1; "
            "divide it by that",
        )
    w, x, y, z = quaternion / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _points(where: Path, reconstruction: Reconstruction, follow_links: bool) -> Float64:
    """The sparse points (n, 3), or those of points3D.ply, which some tools write instead."""
    ply = where / "points3D.ply"
    if len(reconstruction.points) == 0 and ply.is_file():
        return read_points(ply, follow_links)
    return reconstruction.points


def _split_lists(folder: Path, where: Path) -> Mapping[Split, list[str]]:
    """Image names in train_list.txt, val_list.txt and test_list.txt, or in the model's test.txt."""
    files = {split: folder / f"{split}_list.txt" for split in get_args(Split)}
    if not any(file.exists() for file in files.values()):
        files = {"test": where / "test.txt"}  # gaussian-splatting's
    lists = {}
    for split, file in files.items():
        if file.exists():
            if regular_file(file).stat().st_size > _MAX_LIST_BYTES:
                raise scene_error(file, "is too large for a list of image names")
            names = file.read_text(encoding="utf-8", errors="replace").splitlines()
            lists[split] = [name.strip() for name in names if name.strip()]
    return lists


def _bounds(
    images: list[int], poses: Float64, points: Float64, observations: NDArray[np.int64]
) -> Bounds | None:
    """Bounds from the distances between cameras and the points they observe; None for too few.

    `images` are COLMAP's ids in the order of `poses`.
    """
    view_of = {image: view for view, image in enumerate(images)}
    seen = np.array([(view_of[i], p) for i, p in observations.tolist() if i in view_of], int)
    seen = seen.reshape(-1, 2)  # rows of (view, point)
    if len(seen) < _MIN_OBSERVATIONS:
        return None
    distances = np.linalg.norm(poses[seen[:, 0], :3, 3] - points[seen[:, 1]], axis=1)
    return from_distances(distances, f"{len(points)} sparse points")
