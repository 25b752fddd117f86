"""Camera poses of pictures by COLMAP's structure from motion, through pycolmap.

Three stages, each with a progress bar: features (SIFT), matches verified by epipolar geometry, and
incremental mapping. All seeds are fixed and pictures are numbered in order, so that the same
pictures give the same poses on the same machine with the same pycolmap; features and matches use
all cores, mapping one, as its result depends on the order in which threads end. Another processor
or version of pycolmap may round otherwise, which changes poses by less than their error.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.common.progress import progress_bar
from nerf.scenes.photographs.diagnosis import Evidence, read_evidence
from nerf.scenes.photographs.working_copies import WorkingCopy

_CAMERA_MODEL = "SIMPLE_RADIAL"  # a focal length and one coefficient of distortion
_MAX_FEATURES = 4096
_FEATURE_BATCH = 4  # pictures
_MATCH_BATCH = 100  # pairs
_MAPPING_THREADS = 1  # with two the same matches give one of two results, by which is first
_SEED = 0


@dataclass(frozen=True)
class Estimate:
    """COLMAP's models, the largest first, with the evidence that they were computed from."""

    models: list[Any]  # pycolmap.Reconstruction
    evidence: Evidence


def import_pycolmap(source: Path) -> Any:
    """pycolmap; raises `InputError` if it is not installed."""
    try:
        import pycolmap
    except ImportError as error:
        raise InputError(
            f"{source}: pictures without cameras need pycolmap to estimate them ({error}); "
            "pip install 'nerf-study[photos]'"
        ) from None
    pycolmap.logging.minloglevel = pycolmap.logging.Level.FATAL.value
    return pycolmap


def estimate_poses(
    pycolmap: Any, copies: Sequence[WorkingCopy], pairs: Sequence[tuple[int, int]], folder: Path
) -> Estimate:
    """Models of the copies in `folder`, which also takes the database.

    Images are named after the copies, cameras are in pixels of the copies.
    """
    database = folder / "database.db"
    pycolmap.Database.open(database).close()  # creates the file
    pycolmap.set_random_seed(_SEED)
    _import_copies(pycolmap, database, folder, copies)
    _extract_features(pycolmap, database, folder, copies)
    _match(pycolmap, database, folder, [(copies[i].name, copies[j].name) for i, j in pairs])
    models = _map(pycolmap, database, folder, len(copies))
    return Estimate(models, read_evidence(database))


def _import_copies(
    pycolmap: Any, database: Path, folder: Path, copies: Sequence[WorkingCopy]
) -> None:
    """Numbers images and cameras in order, which feature extraction does by which is done first."""
    by_camera = sorted(copies, key=lambda copy: (repr(copy.camera), copy.name))
    for _, group in groupby(by_camera, key=lambda copy: copy.camera):
        members = list(group)
        options = pycolmap.ImageReaderOptions(camera_model=_CAMERA_MODEL)
        first = members[0]
        if first.focal is not None:
            options.camera_params = f"{first.focal},{first.width / 2},{first.height / 2},0"
        pycolmap.import_images(
            database,
            folder,
            camera_mode=pycolmap.CameraMode.SINGLE,
            image_names=[copy.name for copy in members],
            options=options,
        )


def _extract_features(
    pycolmap: Any, database: Path, folder: Path, copies: Sequence[WorkingCopy]
) -> None:
    options = pycolmap.FeatureExtractionOptions(num_threads=_cores())
    options.sift.max_num_features = _MAX_FEATURES
    names = [copy.name for copy in copies]
    with progress_bar("finding features", len(names)) as advance:
        for start in range(0, len(names), _FEATURE_BATCH):
            batch = names[start : start + _FEATURE_BATCH]
            pycolmap.extract_features(
                database,
                folder,
                image_names=batch,
                extraction_options=options,
                device=pycolmap.Device.cpu,
            )
            advance(len(batch))


def _match(pycolmap: Any, database: Path, folder: Path, pairs: Sequence[tuple[str, str]]) -> None:
    listed = folder / "pairs.txt"
    matching = pycolmap.FeatureMatchingOptions(num_threads=_cores())
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = _SEED
    with progress_bar("matching pictures", len(pairs)) as advance:
        for start in range(0, len(pairs), _MATCH_BATCH):
            batch = pairs[start : start + _MATCH_BATCH]
            listed.write_text("\n".join(" ".join(pair) for pair in batch), encoding="utf-8")
            pycolmap.match_image_pairs(
                database,
                matching_options=matching,
                pairing_options=pycolmap.ImportedPairingOptions(match_list_path=str(listed)),
                verification_options=verification,
                device=pycolmap.Device.cpu,
            )
            advance(len(batch))


def _map(pycolmap: Any, database: Path, folder: Path, count: int) -> list[Any]:
    """Models by the number of their images, the largest first."""
    options = pycolmap.IncrementalPipelineOptions(
        num_threads=_MAPPING_THREADS, random_seed=_SEED, min_model_size=3
    )
    options.mapper.random_seed = options.triangulation.random_seed = _SEED
    options.mapper.num_threads = _MAPPING_THREADS
    with progress_bar("placing cameras", count) as advance:
        models = pycolmap.incremental_mapping(
            database, folder, folder, options, next_image_callback=lambda: advance(1)
        )
    return sorted(
        models.values(), key=lambda model: (-model.num_reg_images(), -model.num_points3D())
    )


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
