"""The sharpest frame of each of many short windows of a video, as JPEG files in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nerf.common.progress import progress_bar
from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.photographs.cached_results import cached_result, hash_input

VIDEO_SUFFIXES = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm")
WINDOWS = 72
"""Frames that are taken from a video; of a shorter one each."""
LONGEST_SIDE = 1600
"""Pixels: larger frames are shrunk to it."""

_CANDIDATES = 10  # frames that are compared in each window
_QUALITY = 95

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class _Stream:
    """Frames of one size and how many there are, as far as the file says."""

    frames: Iterator[Frame]
    expected: int


def extract_frames(video: Path) -> Path:
    """The folder of the chosen frames, `frame_000.jpg` and so on, from the cache if it has them."""
    key = hash_input([video], ("frames", WINDOWS, LONGEST_SIDE, _CANDIDATES, _QUALITY))
    return cached_result("videos", key, lambda folder: _write_frames(video, folder))


def _write_frames(video: Path, folder: Path) -> None:
    from PIL import Image

    stream = _read(video)
    with progress_bar("choosing frames", stream.expected) as advance:
        for number, frame in enumerate(sharpest_frames(stream.frames, stream.expected, advance)):
            Image.fromarray(frame).save(
                folder / f"frame_{number:03d}.jpg", quality=_QUALITY, subsampling=0
            )


def sharpest_frames(
    frames: Iterator[Frame], expected: int, advance: Any = lambda _: None
) -> Iterator[Frame]:
    """The sharpest of each window of about `expected` / `WINDOWS` frames, in their order."""
    windows = min(WINDOWS, max(expected, 1))
    best: Frame | None = None
    best_sharpness, current = -1.0, 0
    for index, frame in enumerate(frames):
        window = min(index * windows // max(expected, 1), windows - 1)
        if window != current and best is not None:
            yield best
            best_sharpness, current = -1.0, window
        value = sharpness(frame)
        if value > best_sharpness:
            best, best_sharpness = frame, value
        advance(1)
    if best is not None:
        yield best


def sharpness(frame: Frame) -> float:
    """Variance of the Laplacian of the green channel at half size (Pertuz et al. 2013, LAP4).

    Halved by averages, so that a compressed video's noise weighs less.
    """
    height, width = (size // 2 * 2 for size in frame.shape[:2])
    green = frame[:height, :width, 1].astype(np.float32)
    halves = green.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    centre = halves[1:-1, 1:-1]
    around = halves[:-2, 1:-1] + halves[2:, 1:-1] + halves[1:-1, :-2] + halves[1:-1, 2:]
    return float(np.var(around - 4 * centre))


def _read(video: Path) -> _Stream:
    """Decodes a video, thinned to `_CANDIDATES` frames in each window and shrunk."""
    import imageio_ffmpeg  # type: ignore[import-untyped]

    try:
        about = next(imageio_ffmpeg.read_frames(video))
    except (OSError, RuntimeError, StopIteration):
        raise scene_error(
            video, "cannot be decoded as a video; convert it to mp4, or give a folder of pictures"
        ) from None
    duration, rate = float(about.get("duration") or 0), float(about.get("fps") or 0)
    if not (duration > 0 and rate > 0):
        raise scene_error(video, "does not say how long it is; convert it to mp4")
    rate = min(rate, WINDOWS * _CANDIDATES / duration)
    # The smaller of both factors fits the frame into the square; a smaller frame keeps its size.
    scale = (
        f"scale=w='min({LONGEST_SIDE},iw)':h='min({LONGEST_SIDE},ih)'"
        ":force_original_aspect_ratio=decrease:force_divisible_by=2"
    )
    decoded = imageio_ffmpeg.read_frames(
        video, pix_fmt="rgb24", output_params=["-vf", f"fps={rate:.6f},{scale}"]
    )
    width, height = next(decoded)["size"]
    frames = (np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in decoded)
    return _Stream(frames, round(duration * rate))
