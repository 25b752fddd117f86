"""One NeRF from the command line: `python nerf/train.py --scene bricks`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.command import INTERRUPTED, Parser, describe_parameters, exit_status
from nerf.errors import InputError
from nerf.parameters import (
    DERIVED,
    Value,
    build,
    flatten,
    parse_settings,
    read_settings,
    with_suggested_bounds,
)

if TYPE_CHECKING:
    from nerf.config import NerfConfig
    from nerf.scenes import Scene
    from nerf.training import TrainResult

CHECKPOINT = "checkpoint.pt"
RESULT = "result.json"
FINAL_PIXELS = 40_000


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, parsed; raises `InputError` for what it does not understand."""
    parser = Parser(
        "Train one NeRF and keep what it learnt.",
        f"parameters for --set PATH=VALUE, with their defaults:\n{describe_parameters()}",
    )
    parser.add_argument(
        "--scene", default="bricks", help="bricks (built in, the default), tiny-lego or a PATH"
    )
    parser.add_argument(
        "--downscale", type=int, default=1, metavar="N", help="divide photographs' sides by N"
    )
    parser.add_argument(
        "--background",
        choices=("white", "black"),
        default="white",
        help="behind pictures with an alpha channel (default white)",
    )
    parser.add_argument(
        "--inspect",
        action="store_true",
        help="draw cameras, points and near/far to inspect.png instead of training",
    )
    parser.add_argument("--steps", type=int, help="steps of training (optimisation.steps)")
    parser.add_argument("--seed", type=int, help="seed of every random draw")
    parser.add_argument("--gpus", type=int, choices=(0, 1), help="default: 1 where there is one")
    parser.add_argument("--out", type=Path, help="folder to make (default runs/SCENE)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML of PATH = value lines, as a study's best.toml; options override it",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="give a parameter another value (repeatable); the list is below",
    )
    return parser.parse(arguments)


def main() -> int:
    """Trains, shows progress, and leaves a folder with the result, pictures and checkpoint."""
    asked = options()
    settings = _settings(asked)
    build(settings)  # what is wrong on its own is said before torch is imported and a scene read
    from nerf.scenes import load

    if Path(asked.scene).exists():
        asked.scene = str(Path(asked.scene).resolve())  # as video.py finds it, whatever its folder
    scene = load(asked.scene, downscale=asked.downscale, background=asked.background)
    print(scene.summary)
    config = build(with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far))
    out: Path = asked.out or Path("runs") / scene.name
    if asked.inspect:
        return _inspect(scene, config, out)
    if not asked.resume and any((out / name).exists() for name in (CHECKPOINT, RESULT)):
        raise InputError(f"{out} holds a run; --resume goes on with it, --out names another folder")
    if asked.resume and not (out / CHECKPOINT).exists():
        raise InputError(f"{out} holds no {CHECKPOINT} to resume; leave --resume out to start")
    device = _device(asked.gpus)
    result = _train(config, scene, out, device)
    if result is None:
        again = [*sys.argv, *([] if asked.resume else ["--resume"])]
        print(f"stopped; all that was done is kept. Go on with:\n  python {shlex.join(again)}")
        return INTERRUPTED
    _write(out, result, config, scene, device, asked)
    print(f"{result.state}: {result.psnr:.2f} dB, SSIM {result.ssim:.3f} on validation views")
    if result.reason:
        print(f"  {result.reason}")
    print(f"  {out / 'render.png'} (left: the field, right: the photograph), {out / RESULT}")
    return 0


def _settings(asked: argparse.Namespace) -> dict[str, Value]:
    settings = parse_settings(asked.set)
    for path, value in (("optimisation.steps", asked.steps), ("seed", asked.seed)):
        if value is not None:
            if path in settings:
                raise InputError(f"{path} is given twice, by its option and by --set; keep one")
            settings[path] = value
    if asked.config:
        kept = read_settings(asked.config)
        given = {DERIVED[path].sets if path in DERIVED else path for path in settings}
        settings = {path: value for path, value in kept.items() if path not in given} | settings
    # A single run can afford more for its last figures than each of a study's many trials.
    if "evaluation.final_pixels" not in parse_settings(asked.set):
        settings["evaluation.final_pixels"] = FINAL_PIXELS
    return settings


def _device(gpus: int | None) -> str:
    import torch

    available = torch.cuda.is_available()
    if gpus and not available:
        raise InputError("--gpus 1, but torch finds no GPU here; use --gpus 0")
    return "cuda" if available and gpus != 0 else "cpu"


def _inspect(scene: Scene, config: NerfConfig, out: Path) -> int:
    import imageio.v3 as iio

    from nerf.files import replace_atomically
    from nerf.scenes.inspect import picture
    from nerf.scenes.scene import Bounds

    bounds = Bounds(config.sampling.near, config.sampling.far, "the command line")
    suggested = (scene.bounds.near, scene.bounds.far)
    if (bounds.near, bounds.far) != suggested:
        scene = dataclasses.replace(scene, bounds=bounds)
    replace_atomically(out / "inspect.png", lambda path: iio.imwrite(path, picture(scene)))
    print(f"{out / 'inspect.png'}: do near and far hold the object? "
          "If not, --set sampling.near=... --set sampling.far=...")  # fmt: skip
    return 0


def _train(config: NerfConfig, scene: Scene, out: Path, device: str) -> TrainResult | None:
    """The result, or None where Ctrl-C ended the run first."""
    from nerf.contact_sheet import ContactSheet
    from nerf.health import missed_object
    from nerf.progress_bar import ProgressBar
    from nerf.training import Interrupted, train

    missed = missed_object(config, scene)
    if missed:
        print(f"warning: {missed}", file=sys.stderr)
    asked_to_stop: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked_to_stop.append(number))
    try:
        with ProgressBar(config.optimisation.steps) as bar:
            return train(
                config,
                scene,
                bar.evaluated,
                on_step=bar.stepped,
                on_picture=ContactSheet(out).add,
                should_stop=lambda: bool(asked_to_stop),
                checkpoint=out / CHECKPOINT,
                device=device,
            )
    except Interrupted:
        return None
    finally:
        signal.signal(signal.SIGINT, before)


def _write(
    out: Path,
    result: TrainResult,
    config: NerfConfig,
    scene: Scene,
    device: str,
    asked: argparse.Namespace,
) -> None:
    import imageio.v3 as iio

    from nerf.files import replace_atomically, write_atomically

    replace_atomically(out / "render.png", lambda path: iio.imwrite(path, result.picture))
    summary = {
        "state": result.state,
        "reason": result.reason,
        "psnr": result.psnr,
        "ssim": result.ssim,
        "test_psnr": result.test_psnr,
        "test_ssim": result.test_ssim,
        "seconds": result.seconds,
        "steps": result.steps_done,
        "device": device,
        "scene": {
            "name": scene.name,
            "source": asked.scene,
            "downscale": asked.downscale,
            "background": asked.background,
            "hash": scene.content_hash,
        },
        "views": {"train": scene.train, "val": scene.val, "test": scene.test},
        "config": flatten(config),
        "curve": [dataclasses.asdict(progress) for progress in result.curve],
    }
    write_atomically(out / RESULT, json.dumps(_json(summary), indent=2, allow_nan=False).encode())


def _json(value: Any) -> Any:
    """`value` with None for what a diverged run could not measure: JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    sys.exit(exit_status(main))
