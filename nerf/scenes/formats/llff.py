"""Reads LLFF folders, the NeRF paper's forward-facing captures: poses_bounds.npy and `images/`.

Each row of the (views, 17) table holds a 3 x 5 matrix and two depths. The matrix's columns are the
camera's down, right and backward axes in the world, its position, and (height, width, focal length)
in pixels. The depths, along the optical axis, are those of the nearest and farthest point.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nerf.common.errors import InputError
from nerf.scenes.bounds.suggest import MARGIN
from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.formats.capture import Background, Capture, Float64, View, build_scene
from nerf.scenes.formats.find_images import Shrunk, choose_shrunk, is_image_name
from nerf.scenes.formats.image_files import read_header
from nerf.scenes.formats.mask_files import MaskFolder
from nerf.scenes.formats.rigid_poses import make_rigid, with_four_rows
from nerf.scenes.formats.scene_checks import MAX_COORDINATE, MAX_VIEWS, check_poses, scene_error
from nerf.scenes.formats.untrusted_files import INVALID_ARRAY_ERRORS, path_inside, regular_file
from nerf.scenes.scene import Bounds, Scene

FILE = "poses_bounds.npy"

_WILD = 2.0  # a far depth beyond this multiple of the others' median is a mismatched point's
_MAX_WILD_SHARE = 0.2
_SAME_ASPECT = 0.02


def load_llff(
    folder: Path, downscale: int, background: Background, follow_links: bool = False
) -> Scene:
    """Loads a scene in the canonical frame, with near and far from the depths in the file."""
    file = folder / FILE
    table = _read_table(file, follow_links)
    images, files = _photographs(folder, file, len(table), downscale, follow_links)
    cameras = table[:, :15].reshape(-1, 3, 5)
    # From columns down, right, backward, position to OpenGL's right, up, backward, position.
    poses = with_four_rows(
        np.stack([cameras[..., 1], -cameras[..., 0], cameras[..., 2], cameras[..., 3]], axis=-1)
    )
    names = [path.name for path in files]
    poses, notes = make_rigid(file, poses, names)
    check_poses(file, poses, names)
    notes += [images.note] if images.note else []
    heights, widths = _sizes(cameras, files, notes)
    # Without points, the scene is taken to lie at the geometric mean of each view's two depths.
    ahead = np.median(np.sqrt(table[:, 15] * table[:, 16]))
    middles = poses[:, :3, 3] - ahead * poses[:, :3, 2]
    poses, _, scale = to_canonical_frame(poses, middles)
    far = _usual(table[:, 16], notes)
    # Towards an image corner, the same depth is farther away.
    focal = cameras[:, 2, 4]
    corner = float((np.hypot(np.hypot(widths, heights) / 2, focal) / focal).max())
    masks = MaskFolder(folder, file, follow_links)
    views = [
        View(
            path,
            pose,
            (f, f),
            (w / 2, h / 2),
            mask=masks.find(path.name),
            size=(round(w), round(h)),
        )
        for path, pose, f, w, h in zip(
            files, poses, focal.tolist(), widths.tolist(), heights.tolist(), strict=True
        )
    ]
    capture = Capture(
        name=folder.resolve().name,
        file=file,
        description="LLFF capture",
        views=views,
        bounds=Bounds(
            float(table[:, 15].min()) * scale * (1 - MARGIN),
            far * scale * corner * (1 + MARGIN),
            "the depths in the file",
        ),
        notes=(*notes, *masks.notes()),
    )
    return build_scene(capture, images.remaining(downscale), background)


def _photographs(
    folder: Path, file: Path, poses: int, downscale: int, follow_links: bool
) -> tuple[Shrunk, list[Path]]:
    """The folder of images and its files in order, which must be as many as there are poses."""
    images = choose_shrunk(folder / "images", downscale)
    if images is None:
        raise scene_error(folder, "has no folder `images` with the photographs; copy them into one")
    path_inside(folder, images.folder.name, folder, follow_links)
    names = sorted(path.name for path in images.folder.iterdir() if is_image_name(path.name))
    if len(names) != poses:
        raise scene_error(
            file,
            f"has {poses} poses, {images.folder.name} has {len(names)} images, and nothing says "
            "which belong together; remove the images that have no pose, or add COLMAP's `sparse`",
        )
    return images, [path_inside(images.folder, name, images.folder, follow_links) for name in names]


def _sizes(cameras: Float64, files: list[Path], notes: list[str]) -> tuple[Float64, Float64]:
    """Heights and widths (views) of the images that the cameras are for.

    They are swapped if the file has width and height the wrong way round for all its images, and
    these are not to be turned by their EXIF orientation, which would make them fit.
    """
    heights, widths = cameras[:, 0, 4], cameras[:, 1, 4]
    headers = [read_header(path) for path in files]

    def fit(sizes: list[tuple[int, int]], across: Float64, down: Float64) -> bool:
        aspects = np.array([width / height for width, height in sizes])
        return bool((np.abs(across / down / aspects - 1) < _SAME_ASPECT).all())

    stored, turned = [h.size for h in headers], [h.turned_size for h in headers]
    if fit(stored, heights, widths) and not (
        fit(stored, widths, heights) or fit(turned, widths, heights)
    ):
        notes.append("the file's heights and widths are swapped for these images: swapped back")
        return widths, heights
    return heights, widths


def _usual(far: Float64, notes: list[str]) -> float:
    """The largest far depth, without those of a few views that a single wrong point threw off."""
    wild = far > _WILD * np.median(far)
    if not wild.any() or wild.mean() > _MAX_WILD_SHARE:
        return float(far.max())
    notes.append(
        f"the far depth of {wild.sum()} views, up to {far.max():g}, is not used: the others' is at "
        f"most {far[~wild].max():g}"
    )
    return float(far[~wild].max())


def _read_table(file: Path, follow_links: bool) -> Float64:
    """The table (views, 17): finite, with positive sizes and focal lengths and 0 < near < far."""
    try:
        table = np.load(regular_file(file, follow_links), mmap_mode="r", allow_pickle=False)
    except InputError:
        raise
    except INVALID_ARRAY_ERRORS as error:
        raise scene_error(file, f"cannot be read ({error}); copy it again") from None
    if not isinstance(table, np.ndarray):
        raise scene_error(file, "is an archive, must be one array")
    if table.ndim != 2 or table.shape[1] != 17 or table.dtype.kind != "f":
        raise scene_error(file, f"must hold floats (views, 17), holds {table.dtype} {table.shape}")
    if len(table) > MAX_VIEWS:
        raise scene_error(file, f"has {len(table)} poses, at most {MAX_VIEWS} are read")
    table = np.array(table, np.float64)
    if not (np.abs(table) < MAX_COORDINATE).all():
        raise scene_error(file, f"has NaN or numbers beyond {MAX_COORDINATE:g}")
    if (table[:, [4, 9, 14]] <= 0).any():
        raise scene_error(file, "has a height, width or focal length that is not positive")
    if ((table[:, 15] <= 0) | (table[:, 15] >= table[:, 16])).any():
        raise scene_error(file, "needs 0 < near < far in its last two columns")
    return table
