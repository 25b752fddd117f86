"""The folder of one run: its files, and what it was begun with, from which it can be gone on with.

OUT/
    run.json         the scene and every setting, before the first step
    checkpoint.pt    the run's whole state
    progress.png     the field as it grows
    result.json      how it ended, beside what run.json holds
    render.png       a validation view beside its photograph
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.common.errors import InputError
from nerf.common.files import replace_atomically, write_atomically
from nerf.config.flat import build, flatten
from nerf.config.schema import NerfConfig

if TYPE_CHECKING:
    from nerf.scenes import Background, Scene
    from nerf.training.loop import TrainResult

CHECKPOINT = "checkpoint.pt"
RESULT = "result.json"
_RUN = "run.json"


@dataclass(frozen=True)
class SceneSource:
    """Where a run's scene comes from, as the options of the same names say."""

    scene: str = "bricks"
    downscale: int = 1
    background: Background = "white"

    def load(self) -> Scene:
        """The scene; raises `InputError` where there is none."""
        from nerf.scenes import load

        return load(self.scene, downscale=self.downscale, background=self.background)


@dataclass(frozen=True)
class Run:
    """One run: its folder, its scene with where that comes from, and its settings."""

    out: Path
    source: SceneSource
    scene: Scene
    config: NerfConfig

    def begin(self) -> None:
        """Writes run.json; raises `InputError` where the folder holds a run already."""
        if any((self.out / name).exists() for name in (CHECKPOINT, RESULT)):
            raise InputError(
                f"{self.out} holds a run; --resume --out {self.out} goes on with it, --out names "
                "another folder"
            )
        self._write(_RUN, self._described())

    def write_result(self, result: TrainResult, device: str) -> None:
        """Writes result.json and render.png."""
        import imageio.v3 as iio

        replace_atomically(self.out / "render.png", lambda path: iio.imwrite(path, result.picture))
        ended = {
            "state": result.state,
            "reason": result.reason,
            "psnr": result.psnr,
            "ssim": result.ssim,
            "test_psnr": result.test_psnr,
            "test_ssim": result.test_ssim,
            "seconds": result.seconds,
            "steps": result.steps_done,
            "device": device,
            "curve": [dataclasses.asdict(progress) for progress in result.curve],
        }
        self._write(RESULT, ended | self._described())

    def _described(self) -> dict[str, Any]:
        return {
            "scene": {
                "name": self.scene.name,
                "source": self.source.scene,
                "downscale": self.source.downscale,
                "background": self.source.background,
                "hash": self.scene.content_hash,
            },
            "views": {"train": self.scene.train, "val": self.scene.val, "test": self.scene.test},
            "config": flatten(self.config),
        }

    def _write(self, name: str, content: dict[str, Any]) -> None:
        text = json.dumps(_json(content), indent=2, allow_nan=False)
        write_atomically(self.out / name, text.encode())


def read_beginning(out: Path) -> tuple[SceneSource, NerfConfig]:
    """What the run in `out` was begun with; raises `InputError` where there is none."""
    try:
        kept = json.loads((out / _RUN).read_text())
        scene, settings = kept["scene"], dict(kept["config"])
        source = SceneSource(scene["source"], scene["downscale"], scene["background"])
    except (OSError, ValueError, TypeError, KeyError):
        raise InputError(
            f"{out} holds no run (no readable {_RUN}); name a folder that nerf/train.py made"
        ) from None
    return source, build(settings)


def _json(value: Any) -> Any:
    """`value` with None for what a diverged run could not measure: JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
