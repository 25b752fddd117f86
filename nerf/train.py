"""One NeRF from the command line: `python nerf/train.py --scene bricks`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from nerf.command import SETTING_HELP, Parser, describe_parameters, run_command
from nerf.errors import InputError
from nerf.parameters import build, flatten, parse_settings

CHECKPOINT = "checkpoint.pt"


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, parsed; raises `InputError` for what it does not understand."""
    parser = Parser("Train one NeRF and keep what it learnt.", describe_parameters())
    parser.add_argument(
        "--scene", default="bricks", help="bricks (built in, the default), tiny-lego or a PATH"
    )
    parser.add_argument("--steps", type=int, help="steps of training (optimisation.steps)")
    parser.add_argument("--seed", type=int, help="seed of every random draw")
    parser.add_argument("--out", type=Path, help="folder to make (default runs/SCENE)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help=SETTING_HELP
    )
    return parser.parse_args(arguments)


def main() -> int:
    """Trains, shows progress, writes result.json, render.png and the checkpoint."""
    asked = options()
    config = build(_settings(asked))
    from nerf.scenes import load  # torch takes seconds to import: after the options are known good

    scene = load(asked.scene)
    out = asked.out or Path("runs") / scene.name
    if not asked.resume and out.exists():
        raise InputError(f"{out} exists; --resume goes on with it, --out names another folder")
    if asked.resume and not (out / CHECKPOINT).exists():
        raise InputError(f"{out} holds no {CHECKPOINT} to resume; leave --resume out to start")

    import imageio.v3 as iio
    import torch

    from nerf.files import replace_atomically, write_atomically
    from nerf.progress_bar import ProgressBar
    from nerf.training import train

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with ProgressBar(config.optimisation.steps) as bar:
        result = train(
            config,
            scene,
            bar.evaluated,
            on_step=bar.stepped,
            checkpoint=out / CHECKPOINT,
            device=device,
        )
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
        "scene": {"name": scene.name, "source": scene.source, "hash": scene.content_hash()},
        "views": {"train": scene.train, "val": scene.val, "test": scene.test},
        "config": flatten(config),
        "curve": [dataclasses.asdict(progress) for progress in result.curve],
    }
    write_atomically(out / "result.json", json.dumps(summary, indent=2).encode())
    print(f"{result.state}: {result.psnr:.2f} dB, SSIM {result.ssim:.3f} on held-out views")
    if result.reason:
        print(f"  {result.reason}")
    print(f"  {out / 'render.png'} (left: the field, right: the photograph), {out / 'result.json'}")
    return 0


def _settings(asked: argparse.Namespace) -> dict[str, float | int | bool | str]:
    settings = parse_settings(asked.set)
    for path, value in (("optimisation.steps", asked.steps), ("seed", asked.seed)):
        if value is not None:
            if path in settings:
                raise InputError(f"{path} is given twice, by its option and by --set; keep one")
            settings[path] = value
    return settings


if __name__ == "__main__":
    run_command(main)
