from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from nerf.scenes.photographs import video_frames
from nerf.scenes.photographs.video_frames import extract_frames, sharpest_frames, sharpness

Frame = NDArray[np.uint8]


def noise(seed: int, blur: float = 0.0, size: tuple[int, int] = (96, 128)) -> Frame:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)
    blurred = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(1 + blur))
    return np.asarray(blurred)


def test_blur_lowers_sharpness() -> None:
    values = [sharpness(noise(0, blur)) for blur in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True)


def test_the_sharpest_frame_of_each_window_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_frames, "WINDOWS", 3)
    frames = [noise(i, blur=0 if i in (1, 3, 8) else 2) for i in range(9)]
    chosen = list(sharpest_frames(iter(frames), expected=9))
    assert [next(i for i in range(9) if frames[i] is frame) for frame in chosen] == [1, 3, 8]


@pytest.mark.parametrize("expected", [4, 6, 9])
def test_a_wrong_number_of_frames_in_the_file_is_survived(expected: int) -> None:
    frames = [noise(i) for i in range(6)]
    assert 4 <= len(list(sharpest_frames(iter(frames), expected))) <= 6


def test_frames_of_a_video_are_files_in_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_frames, "WINDOWS", 4)
    monkeypatch.setattr(video_frames, "LONGEST_SIDE", 64)
    video = tmp_path / "a film.mp4"
    film = np.stack([noise(i, blur=0 if i % 4 == 2 else 4) for i in range(16)])
    iio.imwrite(video, film, fps=8, macro_block_size=1)
    folder = extract_frames(video)
    assert folder.is_relative_to(cache)
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"frame_{i:03d}.jpg" for i in range(4)]
    sizes = {Image.open(file).size for file in files}
    assert sizes == {(64, 48)}
    assert extract_frames(video) == folder
