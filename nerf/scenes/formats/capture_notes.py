"""Lines to print on a capture's images and cameras: what was left out, what looks wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nerf.scenes.formats.read_pictures import Picture
from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.images import Images

_MANY_MASKED = 0.5  # of the pixels; more may be the object, not what hides it
_FAR_AWAY = 50.0  # times the median distance of the cameras from their middle
_SAMPLED_PIXELS = 1000  # of an image, by which copies of it are looked for


def shrunk(pictures: Sequence[Picture], factor: int) -> str:
    """A line on images that were shrunk to fit into memory."""
    width, height = pictures[0].size
    return (
        f"{len(pictures)} images of {width} x {height} are read {factor} times smaller, as they "
        "are too large together; --downscale N chooses another size"
    )


def masked(where: Path, pictures: Sequence[Picture], images: Images) -> tuple[str, ...]:
    """A line on what masks leave out, and on images of which they leave nothing.

    Raises `InputError` if they leave nothing of any image.
    """
    masked = [view for view, picture in enumerate(pictures) if picture.mask]
    if not masked or images.valid is None:
        return ()
    left_out = "white" if pictures[masked[0]].mask_is_inverted else "black"
    remedy = f"{left_out} pixels of a mask are left out: invert the masks if that is the wrong way"
    if not images.valid.any():
        raise scene_error(where, f"its masks leave no pixel of any image; {remedy}")
    share = float(np.mean([1 - images.valid[view].mean() for view in masked]))
    empty = sum(not images.valid[view].any() for view in masked)
    count = f"{len(masked)} of {len(pictures)}" if len(masked) < len(pictures) else f"{len(masked)}"
    return (
        f"{count} images have masks, which leave out {100 * share:.1f} % of their pixels"
        + f", and all of {empty} of them, which are not used" * (empty > 0)
        + f"; {remedy}" * (share > _MANY_MASKED),
    )


def partly_transparent(pictures: Sequence[Picture], images: Images) -> tuple[str, ...]:
    """A line if some images are transparent in part and others have no alpha channel."""
    count = sum(picture.header.has_alpha for picture in pictures)
    if images.alphas is None or count == len(pictures):
        return ()
    return (
        f"warning: {count} of {len(pictures)} images have an alpha channel, so that only theirs is "
        "replaced by the background; remove it, or cut the object out of all images",
    )


def repeated(pictures: Sequence[Picture], images: Images) -> tuple[str, ...]:
    """A line on images that are copies of another: one may be trained on, the other held out."""
    first: dict[bytes, int] = {}
    copies = []
    for view, colours in enumerate(images.colours):
        pixels = colours.reshape(-1, 3)
        sample = pixels[:: max(len(pixels) // _SAMPLED_PIXELS, 1)]
        if (sample == sample[0]).all():
            continue  # an empty view may well be like another
        original = first.setdefault(sample.tobytes(), view)
        if original != view and np.array_equal(colours, images.colours[original]):
            copies.append((view, original))
    if not copies:
        return ()
    names = ", ".join(f"{pictures[a].file.name} of {pictures[b].file.name}" for a, b in copies[:3])
    more = ", ..." if len(copies) > 3 else ""
    return (f"warning: some images are copies of others: {names}{more}; remove them",)


def far_away(pictures: Sequence[Picture], poses: NDArray[np.float64]) -> tuple[str, ...]:
    """A line on cameras so far from all others that these seem to be at one place."""
    positions = poses[:, :3, 3]
    distances = np.linalg.norm(positions - np.median(positions, axis=0), axis=1)
    far = np.flatnonzero(distances > _FAR_AWAY * np.median(distances))
    if not len(far) or not np.median(distances):
        return ()
    farthest = int(distances.argmax())
    others = f" (so are {len(far) - 1} more)" if len(far) > 1 else ""
    return (
        f"warning: the camera of {pictures[farthest].file.name} is over {_FAR_AWAY:g} times as far "
        f"from the middle of all cameras as most are{others}; remove it if it is misplaced",
    )
