"""Fits cameras to their pictures, which may be turned, shrunk or a pixel off their stated size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from nerf.scenes.formats.image_files import read_header
from nerf.scenes.formats.read_pictures import Picture
from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.formats.view import View

MAX_ASPECT_CHANGE = 0.02
"""Of pictures that were shrunk by another tool, which rounds width and height."""

Size = tuple[int, int]


def fit_to_pictures(
    where: Path, views: Sequence[View]
) -> tuple[list[View], list[Picture], tuple[str, ...]]:
    """The views in pixels of their pictures, the pictures, and a line on each change.

    A picture is turned by its EXIF orientation only if that makes it fit its camera. Raises
    `InputError` for one that does not fit, and for pictures of different sizes whose cameras do not
    say which size they are for.
    """
    pictures = [_picture(view) for view in views]
    fitted = [_scaled(where, view, p) for view, p in zip(views, pictures, strict=True)]
    _check_unsized(views, pictures)
    notes = []
    turned = sum(picture.turn for picture in pictures)
    if turned:
        notes.append(f"{turned} images are turned by their EXIF orientation, as their cameras are")
    scaled = Counter(
        (view.size, picture.size)
        for view, picture in zip(views, pictures, strict=True)
        if view.size not in (None, picture.size)
    )
    for (of, to), count in scaled.items():
        assert of is not None
        notes.append(f"{count} cameras are for images of {_words(of)}: scaled to {_words(to)}")
    sizes = Counter(picture.size for picture in pictures)
    if len(sizes) > 1:
        parts = ", ".join(f"{count} of {_words(size)}" for size, count in sizes.most_common(4))
        more = ", ..." if len(sizes) > 4 else ""
        notes.append(f"images of {len(sizes)} sizes ({parts}{more}): smaller ones are padded")
    return fitted, pictures, tuple(notes)


def _picture(view: View) -> Picture:
    picture = Picture(
        view.file, read_header(view.file), mask=view.mask, mask_is_inverted=view.mask_is_inverted
    )
    turned = replace(picture, turn=True)
    if picture.header.is_turned and view.size and not _fits(view.size, picture.size):
        return turned if _fits(view.size, turned.size) else picture
    return picture


def _fits(size: Size, picture: Size) -> bool:
    """Whether a picture is a scaled copy of one of that size, up to a pixel of rounding."""
    height = picture[0] * size[1] / size[0]
    return abs(height - picture[1]) <= max(1.0, MAX_ASPECT_CHANGE * height)


def _scaled(where: Path, view: View, picture: Picture) -> View:
    if view.size is None or view.size == picture.size:
        return view
    if not _fits(view.size, picture.size):
        turned = view.size == picture.size[::-1]
        remedy = (
            "turn the image, or swap width and height"
            if turned
            else "use the images that the cameras were computed from"
        )
        raise scene_error(
            where,
            f"a camera is for images of {_words(view.size)} pixels, {view.file.name} has "
            f"{_words(picture.size)}; {remedy}",
        )
    across, down = picture.size[0] / view.size[0], picture.size[1] / view.size[1]
    return replace(
        view,
        focal=(view.focal[0] * across, view.focal[1] * down),
        centre=(view.centre[0] * across, view.centre[1] * down),
        size=picture.size,
    )


def _check_unsized(views: Sequence[View], pictures: Sequence[Picture]) -> None:
    """Rejects pictures of another size than the first whose cameras do not say their size."""
    unsized = [p for view, p in zip(views, pictures, strict=True) if view.size is None]
    for picture in unsized:
        if max(abs(a - b) for a, b in zip(picture.size, unsized[0].size, strict=True)) > 1:
            raise scene_error(
                picture.file,
                f"is {_words(picture.size)} pixels, {unsized[0].file.name} is "
                f"{_words(unsized[0].size)}; give each frame the `w` and `h` of its camera",
            )


def _words(size: Size) -> str:
    return f"{size[0]} x {size[1]}"
