"""Pictures of several sizes, turned, shrunk, too large, or masked in part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from capture.case import Truth, case, collect, refusal, truth_of
from capture.colmap_writing import write_colmap
from capture.lenses import Camera
from capture.world import over, picture, ring, room, to_bytes
from capture.writing import (
    Shots,
    camera_keys,
    frames,
    numbered,
    save,
    save_all,
    shoot,
    write_json,
    write_transforms,
)


@case("Two phones, each with its size and lens")
def two_phones(folder: Path) -> tuple[Path, Truth]:
    second = Camera(80, 104, (121.0, 118.0), (41.0, 50.5))
    return _own_cameras(folder, lambda view: Camera() if view % 2 else second)


@case("Portrait and landscape of one phone")
def portrait_and_landscape(folder: Path) -> tuple[Path, Truth]:
    return _own_cameras(folder, lambda view: Camera(72, 96) if view % 3 == 0 else Camera())


@case("Every third picture is a pixel narrower")
def sizes_off_by_a_pixel(folder: Path) -> tuple[Path, Truth]:
    return _own_cameras(folder, lambda view: Camera(95, 72) if view % 3 == 0 else Camera())


def _own_cameras(folder: Path, camera: Any) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"), camera=camera)
    entries = [
        {**entry, **camera_keys(own)}
        for entry, own in zip(frames(shots), shots.cameras, strict=True)
    ]
    save_all(folder, shots)
    write_json(folder / "transforms.json", {"frames": entries})
    return folder, shots.truth()


def _lying(folder: Path, camera: Camera, turned: bool) -> tuple[Path, Truth]:
    """Portraits stored on their side with EXIF orientation 6; cameras for the one or the other."""
    upright = camera if turned else Camera(camera.width, camera.height)
    shots = shoot(numbered("images/IMG_{:04d}.jpg"), camera=upright)
    write_transforms(folder, shots)
    tag = Image.Exif()
    tag[0x0112] = 6
    for name, pixels in zip(shots.names, shots.pixels, strict=True):
        stored = np.rot90(pixels).copy() if turned else pixels
        Image.fromarray(stored).save(folder / name, quality=95, exif=tag)
    return folder, shots.truth()


@case("Portraits that EXIF turns, as their cameras are")
def exif_turned(folder: Path) -> tuple[Path, Truth]:
    return _lying(folder, Camera(72, 96), turned=True)


@case("An EXIF orientation that the cameras do not follow")
def exif_not_followed(folder: Path) -> tuple[Path, Truth]:
    return _lying(folder, Camera(), turned=False)


def _larger(shots: Shots, factor: int) -> dict[str, float]:
    return camera_keys(shots.cameras[0], factor)


@case("Of nerfstudio's folders only images_4 is there")
def only_images_4(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    save_all(folder, shots)
    (folder / "images").rename(folder / "images_4")
    write_json(folder / "transforms.json", {**_larger(shots, 4), "frames": frames(shots)})
    return folder, shots.truth(mentions=("images_4",))


@case("images and images_2, read with --downscale 2", downscale=2)
def images_2(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    save_all(folder, shots)
    (folder / "images").rename(folder / "images_2")
    for name, pixels in zip(shots.names, shots.pixels, strict=True):
        save(folder / name, pixels.repeat(2, 0).repeat(2, 1))
    write_json(folder / "transforms.json", {**_larger(shots, 2), "frames": frames(shots)})
    return folder, shots.truth()


@case("COLMAP's images_8 alone, as downloads of Mip-NeRF 360 are cut down")
def colmap_images_8(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    save_all(folder, shots)
    (folder / "images").rename(folder / "images_8")
    large = replace(shots.cameras[0], width=768, height=576, focal=(880.0, 880.0))
    written = replace(shots, cameras=[large] * len(shots.names))
    write_colmap(folder / "sparse/0", written)
    return folder, shots.truth(mentions=("images_8",))


@case("Pictures shrunk in place after the cameras were computed")
def shrunk_in_place(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.jpg"))
    write_transforms(folder, shots, **_larger(shots, 4))
    return folder, shots.truth(mentions=("384 x 288",))


@case("Shrunk by --downscale 3", downscale=3)
def downscale_3(folder: Path) -> tuple[Path, Truth]:
    large = Camera(288, 216, (330.0, 330.0))
    shots = shoot(numbered("images/{:03d}.png"), camera=large)
    write_transforms(folder, shots)
    small = shoot(shots.names, shots.poses)
    blocks = [pixels.reshape(72, 3, 96, 3, 3).mean((1, 3)) / 255 for pixels in shots.pixels]
    small.pictures = [
        replace(p, colours=colours) for p, colours in zip(small.pictures, blocks, strict=True)
    ]
    return folder, small.truth()


@case("Thirty photographs of 4000 x 3000 pixels from a phone")
def photographs_of_12_megapixels(folder: Path) -> tuple[Path, Truth]:
    names, poses, stride = numbered("images/IMG_{:04d}.jpg", 30), ring(30), 9
    (folder / "images").mkdir(parents=True)
    half = Camera(500, 375, (570.0, 570.0))
    # Every ninth pixel of 1333 x 1000, which are the means of 3 x 3 of the stored ones.
    read = Camera(148, 111, (1520 / stride,) * 2, (2000 / 3 / stride, 500 / stride))
    pictures = []
    for name, pose in zip(names, poses, strict=True):
        pixels = to_bytes(over(picture(pose, half, samples=1), room(pose, half)))
        large = Image.fromarray(pixels).resize((4000, 3000), Image.Resampling.BILINEAR)
        large.save(folder / name, quality=70)
        blocks = np.asarray(large)[:, :3999].reshape(1000, 3, 1333, 3, 3)[4::9, :, 4::9]
        colours = blocks.mean((1, 3)) / 255
        pictures.append(truth_of(name, pose, read, colours, picture(pose, read, samples=1)))
    shots = Shots(names, poses, [read] * 30, [], pictures)
    keys = {"w": 4000, "h": 3000, "fl_x": 4560.0, "fl_y": 4560.0, "cx": 2000.0, "cy": 1500.0}
    write_json(folder / "transforms.json", {**keys, "frames": frames(shots)})
    return folder, shots.truth(mentions=("--downscale",), stride=stride)


@case("A person in front of the camera, left out by mask_path")
def mask_path(folder: Path) -> tuple[Path, Truth]:
    return _named_masks(folder, enlargement=1)


@case("Masks of twice the size of the pictures")
def larger_masks(folder: Path) -> tuple[Path, Truth]:
    return _named_masks(folder, enlargement=2)


def _named_masks(folder: Path, enlargement: int) -> tuple[Path, Truth]:
    """Masks that transforms.json names, so many times as wide and as high as the pictures."""
    shots, masks = _with_people(shoot(numbered("images/{:03d}.jpg")))
    document = write_transforms(folder, shots)
    for frame, mask in zip(document["frames"], masks, strict=True):
        frame["mask_path"] = frame["file_path"].replace("images/", "masks/") + ".png"
        stored = mask.repeat(enlargement, 0).repeat(enlargement, 1)
        save(folder / frame["mask_path"], 255 * stored.astype(np.uint8))
    write_json(folder / "transforms.json", document)
    return folder, shots.truth()


@case("instant-ngp's dynamic_mask_NAME.png, white where it is left out")
def dynamic_masks(folder: Path) -> tuple[Path, Truth]:
    shots, masks = _with_people(shoot(numbered("images/{:03d}.jpg")))
    write_transforms(folder, shots)
    for name, mask in zip(shots.names, masks, strict=True):
        stem = Path(name).stem
        save(folder / f"images/dynamic_mask_{stem}.png", 255 * (~mask).astype(np.uint8))
    return folder, shots.truth()


@case("nerfstudio's masks/NAME.png without mask_path")
def masks_by_name(folder: Path) -> tuple[Path, Truth]:
    shots, masks = _with_people(shoot(numbered("images/{:03d}.jpg")))
    write_transforms(folder, shots)
    for name, mask in zip(shots.names, masks, strict=True):
        save(folder / "masks" / f"{Path(name).stem}.png", 255 * mask.astype(np.uint8))
    return folder, shots.truth()


@case("COLMAP's folder masks/, NAME.jpg.png")
def colmap_masks(folder: Path) -> tuple[Path, Truth]:
    shots, masks = _with_people(shoot(numbered("images/{:03d}.jpg")))
    save_all(folder, shots)
    write_colmap(folder / "sparse/0", shots)
    for name, mask in zip(shots.names, masks, strict=True):
        file = folder / "masks" / f"{Path(name).name}.png"
        save(file, 255 * mask.astype(np.uint8))
    return folder, shots.truth()


def _with_people(shots: Shots) -> tuple[Shots, list[np.ndarray]]:
    """A rectangle of noise in each picture, which its mask leaves out."""
    draw = np.random.default_rng(4)
    masks = []
    for view, pixels in enumerate(shots.pixels):
        left, top = int(draw.integers(4, 64)), int(draw.integers(4, 40))
        kept = np.ones(pixels.shape[:2], bool)
        kept[top : top + 24, left : left + 24] = False
        pixels[~kept] = draw.integers(0, 255, (24 * 24, 3))
        shots.pictures[view] = shots.pictures[view].masked(kept)
        masks.append(kept)
    return shots, masks


@case("A mask that is named and missing")
def missing_mask(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png", 8))
    document = write_transforms(folder, shots)
    document["frames"][3]["mask_path"] = "masks/003.png"
    write_json(folder / "transforms.json", document)
    return folder, refusal("transforms.json", "masks/003.png")


CASES = collect(globals())
