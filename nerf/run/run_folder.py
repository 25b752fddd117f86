"""The folder of one run: its files, and what is needed to resume it."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.common.commands import command_name
from nerf.common.errors import InputError
from nerf.common.files import replace_atomically, write_atomically
from nerf.config.flat import build, complete_earlier, flatten
from nerf.config.plugin import Plugin, loaded_plugins, require_plugins
from nerf.config.schema import NerfConfig

if TYPE_CHECKING:
    from nerf.scenes import Background, Scene
    from nerf.training.run import Progress, TrainResult

CHECKPOINT = "checkpoint.pt"
RESULT = "result.json"
_RUN = "run.json"

RUN_FILES = {
    _RUN: "the scene's source and every parameter",
    "checkpoint.pt": "the run after its last evaluation, to resume from",
    "progress/": "a validation view after each evaluation: colour above depth",
    "progress.png": "all of them with step and PSNR, the photograph last",
    "render.png": "a validation view as rendered (left) and its photograph (right)",
    RESULT: "outcome, PSNR and SSIM of each held-out view, learning curve",
}
"""The files of a finished run, and what each holds."""


@dataclass(frozen=True)
class SceneSource:
    """The options --scene, --downscale, --background and --follow-links of a run."""

    scene: str = "bricks"
    downscale: int = 1
    background: Background = "auto"
    follow_links: bool = False

    def load(self) -> Scene:
        """Loads the scene; raises `InputError` if that is not possible."""
        from nerf.scenes import load  # imported late: slow, and needless for a misspelt option

        return load(
            self.scene,
            downscale=self.downscale,
            background=self.background,
            follow_links=self.follow_links,
        )


@dataclass(frozen=True)
class SavedSource(SceneSource):
    """The same of a run that was started with a scene of this `content_hash`."""

    content_hash: str = ""

    def load(self) -> Scene:
        """Loads the scene; it has another hash if its files have changed since."""
        from nerf.scenes import load_saved

        return load_saved(
            self.scene,
            self.content_hash,
            downscale=self.downscale,
            background=self.background,
            follow_links=self.follow_links,
        )


@dataclass(frozen=True)
class Run:
    """A run's folder `out`, its scene and its config."""

    out: Path
    source: SceneSource
    scene: Scene
    config: NerfConfig

    def create(self) -> None:
        """Writes run.json; raises `InputError` if the folder contains a run."""
        require_no_run(self.out)
        self._write(_RUN, self._description())

    def write_result(self, result: TrainResult, device: str) -> None:
        """Writes result.json and render.png."""
        import imageio.v3 as iio

        replace_atomically(self.out / "render.png", lambda path: iio.imwrite(path, result.image))
        outcome = {
            "state": result.state,
            "reason": result.reason,
            "psnr": result.psnr,
            "ssim": result.ssim,
            "test_psnr": result.test_psnr,
            "test_ssim": result.test_ssim,
            **result.registered,
            "seconds": result.seconds,
            "steps": result.steps_done,
            "device": device,
            "curve": [_curve_point(progress) for progress in result.curve],
            "held_out": {
                "val": [dataclasses.asdict(view) for view in result.val_views],
                "test": [dataclasses.asdict(view) for view in result.test_views],
            },
        }
        self._write(RESULT, outcome | self._description())

    def _description(self) -> dict[str, Any]:
        plugins = loaded_plugins()
        return {
            "scene": {
                "name": self.scene.name,
                "source": self.source.scene,
                "downscale": self.source.downscale,
                "background": self.source.background,
                "follow_links": self.source.follow_links,
                "hash": self.scene.content_hash,
            },
            "views": {"train": self.scene.train, "val": self.scene.val, "test": self.scene.test},
            "config": flatten(self.config),
            **({"plugins": [plugin.to_json() for plugin in plugins]} if plugins else {}),
        }

    def _write(self, name: str, content: dict[str, Any]) -> None:
        text = json.dumps(_finite(content), indent=2, allow_nan=False)
        write_atomically(self.out / name, text.encode())


def require_no_run(out: Path) -> None:
    """Raises `InputError` if the folder contains a run."""
    if any((out / name).exists() for name in (CHECKPOINT, RESULT)):
        raise InputError(
            f"{out} already contains a run; continue it with --resume --out {out}, or choose "
            "another --out"
        )


def read_run(out: Path) -> tuple[SavedSource, NerfConfig]:
    """The scene's source and the config in run.json.

    Raises `InputError` if it is unreadable, and where a plugin that it was made with is missing.
    """
    try:
        content = json.loads((out / _RUN).read_text(encoding="utf-8"))
        scene, settings = content["scene"], dict(content["config"])
        follow_links = scene.get("follow_links", False)  # runs of earlier versions have none
        options = scene["source"], scene["downscale"], scene["background"], follow_links
        source = SavedSource(*options, scene.get("hash", ""))
        plugins = tuple(map(Plugin.from_json, content.get("plugins", ())))
    except (OSError, ValueError, TypeError, KeyError):
        raise InputError(
            f"{out} is not a run folder (no readable {_RUN}); name one that "
            f"{command_name('nerf/train.py')} created"
        ) from None
    for change in require_plugins(str(out), plugins):
        print(f"warning: {change}", file=sys.stderr)
    return source, build(complete_earlier(settings))


def _curve_point(progress: Progress) -> dict[str, Any]:
    """An evaluation without its SSIM, which is of a coarser grid of pixels than the result's."""
    return {key: value for key, value in progress.to_point().items() if key != "ssim"}


def _finite(value: Any) -> Any:
    """`value` with None in place of NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
