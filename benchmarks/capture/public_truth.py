"""The truth of real captures, computed in another way than the project's.

Cameras of COLMAP come from pycolmap's own reader and lenses, those of a transforms.json from
`lenses`, pixels from Pillow. Nothing is known of bounds but the points of a reconstruction.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from capture.case import Picture, Truth, refusal
from capture.lenses import Camera, Floats


def truth_at(place: Path, cameras: str, downscale: int) -> Truth:
    """The truth of a capture in `place`, whose cameras are a file or a reconstruction in it."""
    if cameras == "transforms_train.json":
        return _blender_truth(place, downscale)
    if cameras.endswith(".json"):
        return _json_truth(place, place / cameras, downscale)
    return _colmap_truth(place, place / cameras, downscale)


def _json_truth(place: Path, file: Path, downscale: int) -> Truth:
    document = json.loads(file.read_text())
    pictures = {}
    for frame in document["frames"]:
        path = _find(place, frame["file_path"].replace("\\", "/"))
        if path is not None:
            keys = document | frame
            pose = np.array(frame["transform_matrix"], float)
            pictures[path] = _picture(path, _camera(keys, path), pose, downscale)
    return Truth(tuple(pictures.values()))


def _blender_truth(place: Path, downscale: int) -> Truth:
    pictures, held, test = [], [], []
    for part in ("train", "val", "test"):
        document = json.loads((place / f"transforms_{part}.json").read_text())
        for frame in document["frames"]:
            path = place / f"{frame['file_path']}.png"
            pose = np.array(frame["transform_matrix"], float)
            pictures.append(_picture(path, _camera(document, path), pose, downscale))
            if part != "train":
                held.append(pictures[-1].name)
            if part == "test":
                test.append(pictures[-1].name)
    white = (1.0, 1.0, 1.0)
    return Truth(tuple(pictures), frozenset(held), frozenset(test), white)


def _colmap_truth(place: Path, sparse: Path, downscale: int) -> Truth:
    import pycolmap

    model = pycolmap.Reconstruction(str(sparse))
    pictures = []
    for image in model.images.values():
        path = _photograph(place, sparse, image.name)
        if path is None:
            continue
        matrix = np.vstack([image.cam_from_world().matrix(), (0, 0, 0, 1)])
        pose = np.linalg.inv(matrix) @ np.diag([1.0, -1.0, -1.0, 1.0])
        seen = np.array([model.points3D[i].xyz for i in _observed(image)]).reshape(-1, 3)
        picture = _picture(path, model.cameras[image.camera_id], pose, downscale)
        distances = np.linalg.norm(seen - pose[:3, 3], axis=1)
        pictures.append(
            Picture(picture.name, picture.colours, picture.rays, pose[:3, 3], distances)
        )
    return Truth(tuple(pictures))


def _photograph(place: Path, sparse: Path, name: str) -> Path | None:
    """The photograph of that name in the folder `images` that is nearest to a reconstruction."""
    for folder in sparse.parents:
        if (folder / "images" / name).is_file():
            return folder / "images" / name
        if folder == place:
            break
    return None


def _observed(image: Any) -> list[int]:
    return [point.point3D_id for point in image.points2D if point.has_point3D()]


def _find(place: Path, name: str) -> Path | None:
    """The file of that name, or the only one of its base name anywhere in a folder."""
    if (place / name).is_file():
        return place / name
    found = sorted(path for path in place.rglob(Path(name).name) if path.is_file())
    return found[0] if found else None


def _camera(keys: dict[str, Any], path: Path) -> Camera:
    """A camera by the keys of a transforms.json."""
    with Image.open(path) as image:
        size = image.size
    width, height = round(keys.get("w", size[0])), round(keys.get("h", size[1]))
    across = keys.get("fl_x") or width / 2 / math.tan(keys["camera_angle_x"] / 2)
    scale = size[0] / width, size[1] / height
    focal = across * scale[0], keys.get("fl_y", across) * scale[1]
    centre = keys.get("cx", width / 2) * scale[0], keys.get("cy", height / 2) * scale[1]
    k = tuple(float(keys.get(name, 0)) for name in ("k1", "k2", "k3"))
    p = float(keys.get("p1", 0)), float(keys.get("p2", 0))
    return Camera(*size, focal, centre, k=k, p=p)


def _picture(path: Path, camera: Any, pose: Floats, downscale: int) -> Picture:
    """The truth of a photograph, shrunk; `camera` is one of `lenses` or pycolmap's."""
    with Image.open(path) as image:
        alpha = image.mode == "RGBA"
        pixels = np.asarray(image.convert("RGBA" if alpha else "RGB"), np.float32) / 255
    if alpha:
        pixels = pixels[..., :3] * pixels[..., 3:] + 1 - pixels[..., 3:]
    height, width = (side // downscale for side in pixels.shape[:2])
    whole = pixels[: height * downscale, : width * downscale]
    colours = whole.reshape(height, downscale, width, downscale, 3).mean((1, 3))
    rays = _rays(camera, width, height, downscale) @ pose[:3, :3].T
    return Picture(str(path), colours, rays, pose[:3, 3], np.empty(0))


def _rays(camera: Any, width: int, height: int, downscale: int) -> Floats:
    """Unit rays (height, width, 3) of shrunk pixels in OpenGL's camera frame."""
    if isinstance(camera, Camera):
        (across, down), (x, y) = camera.focal, camera.middle
        small = Camera(
            width,
            height,
            (across / downscale, down / downscale),
            (x / downscale, y / downscale),
            k=camera.k,
            p=camera.p,
        )
        return small.rays()
    columns, rows = (downscale * (np.arange(side) + 0.5) for side in (width, height))
    places = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    plane = np.asarray(camera.cam_from_img(places)).reshape(height, width, 2)
    rays = np.concatenate([plane, np.ones((height, width, 1))], -1) * (1.0, -1.0, -1.0)
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def tiny_lego(file: Path) -> tuple[Path, Truth]:
    """The file and its truth."""
    if not file.is_file():
        return file, refusal("tiny_lego.npz")
    with np.load(file, allow_pickle=False) as stored:
        images, poses, focal = (stored[name] for name in ("images", "poses", "focal"))
    camera = Camera(images.shape[2], images.shape[1], (float(focal),) * 2)
    pictures = [
        Picture(
            str(view),
            image.astype(float),
            camera.rays() @ pose[:3, :3].T.astype(float),
            pose[:3, 3].astype(float),
            np.empty(0),
        )
        for view, (image, pose) in enumerate(zip(images, poses, strict=True))
    ]
    return file, Truth(tuple(pictures))
