"""Reads captures with a checkout of this project, in a process of its own.

    python benchmarks/capture/reading.py CHECKOUT JOBS

loads each capture of the file JOBS, a JSON list of [source, options, stride, file to write], and
saves what it became as arrays. Options that the checkout does not have are left out. `read` runs
that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_SECONDS = 900.0


@dataclass(frozen=True)
class Scene:
    """What a capture was read as, or why not: `error` is a refusal, `traceback` a crash."""

    error: str = ""
    traceback: str = ""
    seconds: float = 0.0
    summary: str = ""
    notes: tuple[str, ...] = ()
    arrays: dict[str, NDArray[Any]] | None = None
    """images, directions, positions, valid, train, val, test, background, bounds (near, far)."""

    def __getitem__(self, name: str) -> NDArray[Any]:
        assert self.arrays is not None
        return self.arrays[name]


@dataclass(frozen=True)
class Job:
    """A capture to read, the options of `nerf.scenes.load`, and a stride of its pixels to save."""

    source: Path
    options: dict[str, Any]
    stride: int = 1


def read(checkout: Path, jobs: Sequence[Job], scratch: Path) -> list[Scene]:
    """Reads captures with a checkout; results in order."""
    scratch.mkdir(parents=True, exist_ok=True)
    files = [scratch / f"{index}.npz" for index in range(len(jobs))]
    listed = [
        [str(job.source), job.options, job.stride, str(file)]
        for job, file in zip(jobs, files, strict=True)
    ]
    (scratch / "jobs.json").write_text(json.dumps(listed))
    command = [sys.executable, __file__, str(checkout), str(scratch / "jobs.json")]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run(command, env=environment, timeout=MAX_SECONDS, check=True)
    return [_load(file) for file in files]


def _load(file: Path) -> Scene:
    with np.load(file) as stored:
        arrays = dict(stored)
    facts = json.loads(str(arrays.pop("facts")))
    notes = tuple(facts.pop("notes", ()))
    return Scene(**facts, notes=notes, arrays=arrays or None)


def _main(checkout: str, jobs: str) -> None:
    sys.path.insert(0, checkout)
    for source, options, stride, file in json.loads(Path(jobs).read_text()):
        facts, arrays = _read_one(source, options, stride)
        np.savez(file, facts=json.dumps(facts), **arrays)


def _read_one(
    source: str, options: dict[str, Any], stride: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    import inspect
    import traceback

    from nerf import scenes
    from nerf.common.errors import InputError

    known = inspect.signature(scenes.load).parameters
    options = {name: value for name, value in options.items() if name in known}
    start = time.process_time()
    try:
        scene = scenes.load(source, **options)
        seconds = time.process_time() - start
        facts = {
            "seconds": round(seconds, 1),
            "summary": scene.summary,
            "notes": list(getattr(scene, "notes", ())),
        }
        return facts, _arrays(scene, stride)
    except InputError as error:
        return {"error": str(error)}, {}
    except Exception:
        return {"traceback": traceback.format_exc()}, {}


def _arrays(scene: Any, stride: int) -> dict[str, Any]:
    from nerf.scenes.cameras.pixel_rays import view_directions

    views = range(len(scene.images))
    grid = slice(stride // 2, None, stride)
    images = np.stack([np.asarray(scene.images[view])[grid, grid] for view in views])
    valid = getattr(scene.images, "valid", None)
    return {
        "images": images,
        "directions": np.stack([view_directions(scene, view, stride) for view in views]),
        "positions": scene.world_from_camera[:, :3, 3],
        "valid": np.ones(images.shape[:3], bool) if valid is None else valid[:, grid, grid],
        **{split: np.array(scene.views(split), int) for split in ("train", "val", "test")},
        "background": scene.background,
        "bounds": np.array([scene.bounds.near, scene.bounds.far]),
    }


if __name__ == "__main__":
    _main(*sys.argv[1:])
