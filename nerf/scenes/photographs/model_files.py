"""From pictures to the files of COLMAP's model of them, in the cache."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.scenes.formats.scene_checks import MIN_VIEWS, WAY_OUT, scene_error
from nerf.scenes.photographs.cached_results import cached_result, hash_input
from nerf.scenes.photographs.diagnosis import enumerate_names, explain_failure, explain_missing
from nerf.scenes.photographs.estimate_poses import Estimate, estimate_poses, import_pycolmap
from nerf.scenes.photographs.pairs import MAX_EXHAUSTIVE, choose_pairs
from nerf.scenes.photographs.working_copies import LONGEST_SIDE, WorkingCopy, write_copies

_NOTES = "notes.json"


@dataclass(frozen=True)
class Model:
    """The folder of COLMAP's model, and lines to print: what it was computed from and lacks."""

    folder: Path
    notes: tuple[str, ...]


def find_model(source: Path, pictures: Sequence[Path], ordered: bool) -> Model:
    """The model of the pictures from the cache; estimated and put there if it has none.

    source: the folder or video that the pictures come from, for messages
    ordered: whether only pictures near each other in the sequence need show the same

    Raises `InputError` without pycolmap, and if fewer than three pictures can be placed.
    """
    if len(pictures) < MIN_VIEWS:
        raise scene_error(
            source,
            f"is not a scene: without cameras it needs {MIN_VIEWS} pictures and more (some 40 from "
            f"all around are usual), and has {len(pictures)}; {WAY_OUT}",
        )

    def build(folder: Path) -> None:
        notes = _estimate(source, pictures, ordered, folder / "sparse" / "0")
        (folder / _NOTES).write_text(json.dumps(notes), encoding="utf-8")

    kept = cached_result("photographs", hash_input(pictures, ("poses", ordered)), build)
    notes = json.loads((kept / _NOTES).read_text(encoding="utf-8"))
    return Model(kept / "sparse" / "0", (*notes, _where(kept)))


def _where(kept: Path) -> str:
    return (
        f"they are kept in {kept}; copy its folder sparse beside the pictures to take them to "
        "another machine"
    )


def _estimate(source: Path, pictures: Sequence[Path], ordered: bool, out: Path) -> list[str]:
    """Writes the largest model to `out` and returns notes on it."""
    pycolmap = import_pycolmap(source)
    print(
        f"estimating the cameras of {len(pictures)} pictures by COLMAP, which takes minutes; the "
        "result is kept",
        file=sys.stderr,
    )
    with tempfile.TemporaryDirectory(prefix="nerf-photographs-") as work:
        copies, unreadable = write_copies(pictures, Path(work))
        if len(copies) < MIN_VIEWS:
            names = enumerate_names([file.name for file in unreadable])
            raise scene_error(
                source, f"too few pictures can be read; export or copy these again: {names}"
            )
        pairs = choose_pairs(len(copies), ordered)
        estimate = estimate_poses(pycolmap, copies, pairs, Path(work))
    placed = estimate.models[0].num_reg_images() if estimate.models else 0
    if placed < MIN_VIEWS:
        raise scene_error(
            source,
            f"the cameras of {placed} of {len(copies)} pictures could be estimated: "
            f"{explain_failure(estimate.evidence)}",
        )
    notes = _notes(copies, unreadable, estimate, ordered)
    out.mkdir(parents=True)
    _restore_originals(estimate.models[0], copies)
    estimate.models[0].write(out)
    return notes


def _notes(
    copies: Sequence[WorkingCopy], unreadable: Sequence[Path], estimate: Estimate, ordered: bool
) -> list[str]:
    """Lines on what the model was computed from and what it lacks."""
    titles = {copy.name: copy.original.name for copy in copies}
    best, *others = [_image_names(model) for model in estimate.models]
    notes = [f"the cameras of {len(best)} of {len(copies)} pictures were estimated by COLMAP"]
    if any(max(copy.full_size) > LONGEST_SIDE for copy in copies):
        notes[0] += f", with pictures shrunk to {LONGEST_SIDE} pixels"
    if not ordered and len(copies) > MAX_EXHAUSTIVE:
        notes.append(
            f"more than {MAX_EXHAUSTIVE} pictures: only those near each other in the order of "
            "names were compared; name them in the order in which they were taken"
        )
    if unreadable:
        names = enumerate_names([file.name for file in unreadable])
        notes.append(f"left out, as they cannot be read: {names}")
    for other in others:
        apart = sorted(titles[name] for name in other - best)
        if apart:
            notes.append(
                f"{len(apart)} placed only among themselves and not used (photograph the steps to "
                f"the others): {enumerate_names(apart)}"
            )
    missing = sorted(set(titles) - best.union(*others))
    return notes + explain_missing(missing, [titles[name] for name in missing], estimate.evidence)


def _image_names(model: Any) -> set[str]:
    return {model.images[image].name for image in model.reg_image_ids()}


def _restore_originals(model: Any, copies: Sequence[WorkingCopy]) -> None:
    """Gives the model's images the names and sizes of the pictures in place of their copies'."""
    by_name = {copy.name: copy for copy in copies}
    sizes = {}
    for image in model.images.values():
        copy = by_name[image.name]
        image.name = copy.original.name
        sizes[image.camera_id] = copy.full_size
        for point in image.points2D:
            point.xy = point.xy * copy.full_size / (copy.width, copy.height)
    for camera_id, (width, height) in sizes.items():
        model.cameras[camera_id].rescale(width, height)
