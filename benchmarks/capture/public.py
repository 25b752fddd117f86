"""Captures that others have published, and the real ones that the tests use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from capture.case import Case, Truth
from capture.public_truth import tiny_lego, truth_at

DATA = "NERF_STUDY_DATA"
"""Environment variable with the folder of real scenes of the tests."""


@dataclass(frozen=True)
class Published:
    """A capture in a repository: `python benchmarks/captures.py --public FOLDER` looks for it in
    FOLDER/OWNER/NAME, as `git clone https://github.com/OWNER/NAME` leaves it."""

    repository: str
    commit: str
    licence: str
    about: str
    folder: str = "."
    cameras: str = "transforms.json"
    """The camera file, or the folder of the reconstruction, within `folder`."""
    downscale: int = 1

    def case(self, clones: Path) -> Case:
        """The case of the copy in a folder of clones."""
        place = clones / self.repository / self.folder
        about = f"{self.about}; https://github.com/{self.repository} at {self.commit}"

        def write(_: Path) -> tuple[Path, Truth]:
            return place, truth_at(place, self.cameras, self.downscale)

        options = {"downscale": self.downscale} if self.downscale > 1 else {}
        return Case(self.repository, f"{about}, {self.licence}", write, options)


NO_LICENCE = "no licence given"

PUBLISHED = (
    Published(
        "bartoszek/test_colmap",
        "79fce7a",
        NO_LICENCE,
        "a COLMAP workspace of which the original photographs are missing",
        cameras="dense/0/sparse",
        downscale=4,
    ),
    Published(
        "jeremyxie712/testColmap",
        "7b7a8d0",
        NO_LICENCE,
        "a COLMAP workspace: 15 of a film's 100 frames were placed",
        cameras="sparse/0",
        downscale=2,
    ),
    Published(
        "YhuoyuH/NeRF-Database",
        "83b3422",
        NO_LICENCE,
        "frames of a phone's film by COLMAP and LLFF's script",
        cameras="sparse/0",
        downscale=4,
    ),
    Published(
        "Caesar-xxx/NERF",
        "03460c0",
        "Nvidia's source code licence",
        "frames of a phone's film by instant-ngp's script, with the lens OPENCV",
        "custom_data",
        downscale=16,
    ),
    Published(
        "tusharparimi/fruit-NeRF",
        "236cb01",
        NO_LICENCE,
        "photographs of fruit, with strong tangential distortion",
        downscale=3,
    ),
    Published(
        "pechpo/JNerf",
        "646874b",
        NO_LICENCE,
        "a phone's photographs of 2016 x 4480 with camera keys in each frame",
        downscale=16,
    ),
    Published(
        "5697526/NeRF-TensoRF",
        "a0b42d4",
        NO_LICENCE,
        "80 frames of a phone's film of 1080 x 1920",
        downscale=8,
    ),
    Published(
        "HexGP/nerf-prep",
        "b0b31be",
        NO_LICENCE,
        "a phone's film of which 13 frames were placed",
        downscale=8,
    ),
    Published(
        "rounak890/nerf_data",
        "0a47cb5",
        NO_LICENCE,
        "the synthetic Lego scene, 400 views of 800 x 800 with alphas",
        cameras="transforms_train.json",
        downscale=8,
    ),
)


def published_cases(clones: Path) -> tuple[list[Case], list[str]]:
    """Cases of the captures that a folder has, and what to run for the others."""
    found, missing = [], []
    for capture in PUBLISHED:
        if (clones / capture.repository).is_dir():
            found.append(capture.case(clones))
        else:
            missing.append(
                f"git clone https://github.com/{capture.repository} "
                f"{clones / capture.repository} && git -C {clones / capture.repository} checkout "
                f"{capture.commit}"
            )
    return found, missing


def real_cases() -> list[Case]:
    """Cases of the real scenes of the tests, if the environment names their folder."""
    if not os.environ.get(DATA):
        return []
    folder = Path(os.environ[DATA])
    return [
        _real(folder, "fox", "instant-ngp's fox, 50 of 67 frames", "transforms.json"),
        _real(folder, "cup_colmap", "a cup, by COLMAP", "sparse/0", 6),
        _real(folder, "lego_200", "LEGO in Blender's layout", "transforms_train.json"),
        Case("tiny_lego.npz", "tiny LEGO", lambda _: tiny_lego(folder / "tiny_lego.npz")),
    ]


def _real(folder: Path, name: str, about: str, cameras: str, downscale: int = 1) -> Case:
    options = {"downscale": downscale} if downscale > 1 else {}
    place = folder / name
    return Case(name, about, lambda _: (place, truth_at(place, cameras, downscale)), options)
