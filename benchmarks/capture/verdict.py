"""Compares what a capture was read as with the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from capture.case import Picture, Truth
from capture.lenses import Floats
from capture.reading import Scene

RIGHT = "right"
TOLD = "right, says what was changed"
REFUSED = "refused, says what to do"
SILENT = "right, does not say what it must"
UNCLEAR = "refused without cause or remedy"
LOST = "refused, though others read it"
WRONG = "WRONG"
VERDICTS = (RIGHT, TOLD, REFUSED, SILENT, UNCLEAR, LOST, WRONG)
FAULTY = (SILENT, UNCLEAR, LOST, WRONG)

MAX_DEGREES = 0.05
MAX_POSITION_ERROR = 1e-3
"""Of camera positions, in shares of their spread, after alignment."""

MIN_CONTAINED = 0.98
"""Share of what the pictures show that must lie between near and far."""

MAX_WIDER = 4.0
"""Far may be so many times the farthest distance that the pictures show."""

MIN_TRAINING_VIEWS = 5
_MATCHING_STRIDE = 4  # of pixels, to find which picture a view shows
REMEDIES = (
    *("; ", "use ", "give ", "add ", "copy ", "remove ", "undistort", "turn ", "name "),
    *("--follow-links", "--downscale", "save ", "convert "),
)


@dataclass(frozen=True)
class Verdict:
    """The judgement, what is wrong, and the measured figures in words."""

    kind: str
    faults: tuple[str, ...] = ()
    said: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {'; '.join(self.faults)}" if self.faults else self.kind


def judge(scene: Scene, truth: Truth) -> Verdict:
    """The verdict on one capture."""
    if scene.traceback:
        last = scene.traceback.strip().splitlines()[-1]
        return Verdict(WRONG, ("a traceback",), last[:160])
    if scene.error:
        return _judge_refusal(scene.error, truth)
    if truth.refused is not None:
        return Verdict(WRONG, ("read, though it must be refused",), scene.summary)
    faults, figures = _compare(scene, truth)
    said = "; ".join((figures, *scene.notes)) if figures else "; ".join(scene.notes)
    if faults:
        return Verdict(WRONG, tuple(faults), said)
    printed = " | ".join((scene.summary, *scene.notes))
    unsaid = tuple(f"does not say {word!r}" for word in truth.mentions if word not in printed)
    if unsaid:
        return Verdict(SILENT, unsaid, said)
    return Verdict(TOLD if scene.notes else RIGHT, (), said)


def _judge_refusal(error: str, truth: Truth) -> Verdict:
    if truth.refused is None:
        return Verdict(LOST, (), error)
    faults = [f"the refusal does not name {word!r}" for word in truth.refused if word not in error]
    if "\n" in error.strip():
        faults.append("the refusal has several lines")
    if not any(remedy in error for remedy in REMEDIES):
        faults.append("the refusal has no remedy")
    return Verdict(UNCLEAR if faults else REFUSED, tuple(faults), error)


def _compare(scene: Scene, truth: Truth) -> tuple[list[str], str]:
    """What is wrong with a scene, and its errors in words."""
    pictures = truth.pictures
    if len(scene["images"]) != len(pictures):
        return [f"{len(scene['images'])} of {len(pictures)} views"], ""
    matched = _match(scene, truth)
    if isinstance(matched, str):
        return [matched], ""
    order, values = matched
    pictures = tuple(pictures[index] for index in order)
    faults = []
    if values > truth.value_error:
        faults.append(f"values off by {255 * values:.1f} of 255 in the mean")
    mask_error = _mask_error(scene, truth, order)
    if mask_error:
        faults.append(mask_error)
    rays = [
        scene["directions"][view, : p.rays.shape[0], : p.rays.shape[1]].astype(float)
        for view, p in enumerate(pictures)
    ]
    turn = _rotation_between([p.rays for p in pictures], rays)
    degrees = max(
        _angles(p.rays @ turn.T, own)[_valid(p.valid, own)].max()
        for p, own in zip(pictures, rays, strict=True)
    )
    if degrees > MAX_DEGREES:
        faults.append(f"rays off by up to {degrees:.2f} degrees")
    positions = np.stack([p.position for p in pictures]) @ turn.T
    scale, position_error = _scale_between(positions, scene["positions"].astype(float))
    if position_error > MAX_POSITION_ERROR:
        faults.append(f"positions off by {100 * position_error:.1f} % of their spread")
    faults += _split_faults(scene, truth, [p.name for p in pictures])
    contained, wider = _bounds(scene, truth, scale)
    if contained < MIN_CONTAINED:
        near, far = scene["bounds"]
        faults.append(
            f"near {near:.2f} and far {far:.2f} hold {100 * contained:.0f} % of what is seen"
        )
    elif wider > MAX_WIDER:
        faults.append(f"far is {wider:.1f} times the farthest distance")
    colour = np.abs(scene["background"] - truth.background).max()
    if colour > 0.012:
        shown = "".join(f"{round(255 * float(c)):02x}" for c in scene["background"])
        faults.append(f"background #{shown}")
    figures = f"rays within {degrees:.4f} degrees, bounds hold {100 * contained:.1f} %"
    return faults, figures


def _valid(valid: NDArray[np.bool_] | None, rays: Floats) -> NDArray[np.bool_]:
    return np.ones(rays.shape[:2], bool) if valid is None else valid


def _match(scene: Scene, truth: Truth) -> tuple[list[int], float] | str:
    """For each view the picture that it shows, and the largest mean difference of values."""
    largest = [max(p.colours.shape[axis] for p in truth.pictures) for axis in (0, 1)]
    if list(scene["images"].shape[1:3]) != largest:
        height, width = scene["images"].shape[1:3]
        return f"views of {width} x {height}, not {largest[1]} x {largest[0]}"
    differences = np.array(
        [
            [_difference(image, p, _MATCHING_STRIDE) for p in truth.pictures]
            for image in scene["images"]
        ]
    )
    # Of equal pictures, such as two frames of a film that stood still, those in order.
    places = np.arange(len(differences))
    differences += 1e-9 * np.abs(places[:, None] - places)
    order = linear_sum_assignment(differences)[1].tolist()
    matched = zip(scene["images"], order, strict=True)
    return order, max(_difference(image, truth.pictures[index]) for image, index in matched)


def _difference(image: NDArray[np.float32], picture: Picture, stride: int = 1) -> float:
    """Mean absolute difference of an image's valid values from a picture's."""
    height, width = picture.colours.shape[:2]
    grid = slice(None, None, stride), slice(None, None, stride)
    valid = _valid(picture.valid, picture.rays)[grid]
    difference = np.abs(image[:height, :width][grid] - picture.colours[grid]).mean(-1)
    return float(difference[valid].mean()) if valid.any() else 1.0


def _mask_error(scene: Scene, truth: Truth, order: list[int]) -> str:
    """What is wrong with the pixels that count; an empty text if nothing is."""
    leaked = lost = 0
    total = 0
    for view, index in enumerate(order):
        p = truth.pictures[index]
        height, width = p.colours.shape[:2]
        expected = np.zeros(scene["valid"].shape[1:], bool)
        expected[:height, :width] = _valid(p.valid, p.rays)
        leaked += int((scene["valid"][view] & ~expected).sum())
        lost += int((expected & ~scene["valid"][view]).sum())
        total += expected.size
    if leaked:
        return f"{100 * leaked / total:.1f} % of pixels count that must not"
    # A mask of another size than its picture may leave out a rim more.
    return f"{100 * lost / total:.1f} % of pixels are lost" if lost > 0.03 * total else ""


def _rotation_between(truth: list[Floats], read: list[Floats]) -> Floats:
    """The rotation that maps true rays to those read: Kabsch's, over a grid of pixels."""
    a = np.concatenate([rays[::7, ::7].reshape(-1, 3) for rays in truth])
    b = np.concatenate([rays[::7, ::7].reshape(-1, 3) for rays in read])
    u, _, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return np.asarray(u @ sign @ vt)


def _angles(a: Floats, b: Floats) -> Floats:
    """Angles between unit vectors in degrees, exact for small ones."""
    return np.asarray(np.degrees(2 * np.arcsin(np.linalg.norm(a - b, axis=-1).clip(0, 2) / 2)))


def _scale_between(truth: Floats, read: Floats) -> tuple[float, float]:
    """The factor from true positions to those read, and the largest error left, relative."""
    a, b = truth - truth.mean(0), read - read.mean(0)
    scale = float((a * b).sum() / (a * a).sum())
    spread = float(np.sqrt((b * b).sum(1).mean()))
    return scale, float(np.linalg.norm(scale * a - b, axis=1).max() / spread)


def _split_faults(scene: Scene, truth: Truth, names: list[str]) -> list[str]:
    split = {part: {names[view] for view in scene[part]} for part in ("train", "val", "test")}
    faults = []
    if leaked := split["train"] & truth.held_out:
        faults.append(f"{len(leaked)} held-out views are trained on")
    if split["train"] & (split["val"] | split["test"]) or split["val"] & split["test"]:
        faults.append("the parts of the split overlap")
    if truth.test is not None and split["test"] != truth.test:
        faults.append(f"tested on {len(split['test'])} views, not on the {len(truth.test)} named")
    if len(split["train"]) < MIN_TRAINING_VIEWS and not truth.few_views:
        faults.append(f"{len(split['train'])} training views")
    return faults


def _bounds(scene: Scene, truth: Truth, scale: float) -> tuple[float, float]:
    """Share of the seen distances between near and far; far in multiples of the farthest."""
    seen = np.concatenate([p.seen for p in truth.pictures]) * scale
    if not len(seen):
        return 1.0, 1.0
    near, far = scene["bounds"]
    return float(((seen >= near) & (seen <= far)).mean()), float(far / seen.max())
