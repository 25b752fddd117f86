"""Picture files as people have them: kinds, names, sizes, folders, masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from capture.case import Truth, case, collect, refusal
from capture.world import over, picture, room
from capture.writing import (
    LOSSY,
    numbered,
    save_16_bits,
    shoot,
    write_json,
    write_transforms,
)


def _plain(folder: Path, pattern: str) -> tuple[Path, Truth]:
    shots = shoot(numbered(pattern))
    write_transforms(folder, shots)
    return folder, shots.truth()


def _renamed(folder: Path, pattern: str, old: str, new: str) -> tuple[Path, Truth]:
    """A capture whose camera file calls `old` in names `new`."""
    shots = shoot(numbered(pattern))
    document = write_transforms(folder, shots)
    for frame in document["frames"]:
        frame["file_path"] = frame["file_path"].replace(old, new)
    write_json(folder / "transforms.json", document)
    return folder, shots.truth()


@case("JPEG, nothing odd")
def jpeg(folder: Path) -> tuple[Path, Truth]:
    return _plain(folder, "images/frame_{:05d}.jpg")


@case("WebP")
def webp(folder: Path) -> tuple[Path, Truth]:
    return _plain(folder, "images/frame_{:05d}.webp")


@case("BMP")
def bmp(folder: Path) -> tuple[Path, Truth]:
    return _plain(folder, "images/frame_{:05d}.bmp")


@case("TIFF")
def tiff(folder: Path) -> tuple[Path, Truth]:
    return _plain(folder, "images/frame_{:05d}.tif")


@case("Names in the camera file without extension")
def names_without_extension(folder: Path) -> tuple[Path, Truth]:
    return _renamed(folder, "images/frame_{:05d}.jpg", ".jpg", "")


@case("Extensions in another case on disk")
def extensions_in_another_case(folder: Path) -> tuple[Path, Truth]:
    path, truth = _renamed(folder, "images/DSC_{:04d}.JPG", ".JPG", ".jpg")
    return path, replace(truth, mentions=("another case",))


@case("PNG names in the camera file, JPEG files on disk")
def other_extension(folder: Path) -> tuple[Path, Truth]:
    path, truth = _renamed(folder, "images/frame_{:05d}.jpg", ".jpg", ".png")
    return path, replace(truth, mentions=("another extension",))


@case("Backslashes of Windows in names")
def backslashes(folder: Path) -> tuple[Path, Truth]:
    return _renamed(folder, "images/frame_{:05d}.jpg", "/", "\\")


@case("Spaces and umlauts in names")
def spaces_and_umlauts(folder: Path) -> tuple[Path, Truth]:
    return _plain(folder, "images/Büro oben {:03d}.png")


@case("Paths of the machine on which the cameras were computed")
def paths_of_another_machine(folder: Path) -> tuple[Path, Truth]:
    return _renamed(folder, "images/{:03d}.png", "images/", "/home/someone/scan/images/")


@case("Grey pictures of 16 bits")
def grey_16_bits(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    grey = [pixels.mean(-1) / 255 for pixels in shots.pixels]
    write_transforms(folder, shots)
    for name, values in zip(shots.names, grey, strict=True):
        Image.fromarray((values * 65535).round().astype(np.uint16)).save(folder / name)
    shots.pictures = [
        replace(p, colours=np.repeat(values[..., None], 3, -1))
        for p, values in zip(shots.pictures, grey, strict=True)
    ]
    return folder, shots.truth()


@case("Colour pictures of 16 bits")
def colour_16_bits(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    write_transforms(folder, shots)
    for name, pose in zip(shots.names, shots.poses, strict=True):
        camera = shots.cameras[0]
        save_16_bits(folder / name, over(picture(pose, camera), room(pose, camera)).clip(0, 1))
    return folder, shots.truth()


@case("Pictures with a palette")
def palette(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    write_transforms(folder, shots)
    for view, name in enumerate(shots.names):
        Image.fromarray(shots.pixels[view]).quantize(256).save(folder / name)
    return folder, shots.truth(value_error=LOSSY)


@case("A background that was cut away: RGBA in a hand-held capture")
def cut_out_rgba(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"), alpha=True)
    write_transforms(folder, shots)
    return folder, shots.truth(background=(1.0, 1.0, 1.0))


@case("The background cut away in every other picture alone")
def cut_out_in_part(folder: Path) -> tuple[Path, Truth]:
    whole, cut = (shoot(numbered("images/{:03d}.png"), alpha=alpha) for alpha in (False, True))
    whole.pixels[::2], whole.pictures[::2] = cut.pixels[::2], cut.pictures[::2]
    write_transforms(folder, whole)
    return folder, whole.truth(background=(1.0, 1.0, 1.0), mentions=("alpha channel",))


@case("A picture that is there twice under two names")
def copied_picture(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png"))
    shots.pixels[9], shots.poses[9] = shots.pixels[8], shots.poses[8]
    shots.pictures[9] = replace(shots.pictures[8], name=shots.names[9])
    write_transforms(folder, shots)
    return folder, shots.truth(mentions=("copies",))


@case("A photograph cut off in the middle")
def truncated_photograph(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png", 8))
    write_transforms(folder, shots)
    content = (folder / shots.names[5]).read_bytes()
    (folder / shots.names[5]).write_bytes(content[: len(content) // 2])
    return folder, refusal("005.png")


@case("A HEIC photograph, renamed to .jpg")
def heic_renamed(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.jpg", 8))
    write_transforms(folder, shots)
    (folder / shots.names[2]).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400))
    return folder, refusal("002.jpg", "convert")


@case("Pictures of another shape than the cameras are for")
def other_shape(folder: Path) -> tuple[Path, Truth]:
    shots = shoot(numbered("images/{:03d}.png", 8))
    write_transforms(folder, shots, w=96, h=96)
    return folder, refusal("transforms.json", "000.png")


CASES = collect(globals())
