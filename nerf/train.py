"""One NeRF from the command line: `python nerf/train.py --scene bricks`."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.common.command_line import INTERRUPTED, Parser, exit_status
from nerf.common.errors import InputError
from nerf.config.flat import build, flatten, with_suggested_bounds
from nerf.config.parameter_help import describe_parameters
from nerf.config.parameters import DERIVED, Value
from nerf.config.settings import parse_settings, read_settings
from nerf.run.folder import CHECKPOINT, RESULT, Run, SceneSource, read_beginning

if TYPE_CHECKING:
    from nerf.training.loop import TrainResult

FINAL_PIXELS = 40_000


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, parsed; raises `InputError` for what it does not understand."""
    parser = Parser(
        "Train one NeRF and keep what it learnt.",
        f"parameters for --set PATH=VALUE, with their defaults:\n{describe_parameters()}",
    )
    parser.add_argument("--scene", help="bricks (built in, the default), tiny-lego or a PATH")
    parser.add_argument("--downscale", type=int, metavar="N", help="divide photographs' sides by N")
    parser.add_argument(
        "--background",
        choices=("white", "black"),
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
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in --out, with what it began with"
    )
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
    run = _kept(asked) if asked.resume else _new(asked)
    print(run.scene.summary)
    if asked.inspect:
        return _inspect(run)
    device = _device(asked.gpus)
    if not asked.resume:
        run.begin()
    result = _train(run, device)
    if result is None:
        again = shlex.join(["python", sys.argv[0], "--resume", "--out", str(run.out)])
        print(f"stopped; all that was done is kept. Go on with:\n  {again}")
        return INTERRUPTED
    run.write_result(result, device)
    print(f"{result.state}: {result.psnr:.2f} dB, SSIM {result.ssim:.3f} on validation views")
    if result.reason:
        print(f"  {result.reason}")
    print(
        f"  {run.out / 'render.png'} (left: the field, right: the photograph), {run.out / RESULT}"
    )
    return 0


def _new(asked: argparse.Namespace) -> Run:
    settings = _settings(asked)
    # A single run can afford more for its last figures than each of a study's many trials.
    settings.setdefault("evaluation.final_pixels", FINAL_PIXELS)
    build(settings)  # what is wrong on its own is said before torch is imported and a scene read
    source = SceneSource(**_source(asked))
    scene = source.load()
    config = build(with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far))
    return Run(asked.out or Path("runs") / scene.name, source, scene, config)


def _kept(asked: argparse.Namespace) -> Run:
    """The run in `--out` as it was begun; `InputError` for options that say otherwise."""
    if asked.out is None:
        raise InputError("--resume needs the run's folder; give --out")
    source, config = read_beginning(asked.out)
    kept = vars(source) | flatten(config)
    given = _source(asked) | flatten(build(_settings(asked), config))
    for name, value in given.items():
        if value != kept[name]:
            raise InputError(
                f"{asked.out} was begun with {name}={kept[name]}, not {value}; leave that out to "
                "go on with it, or name another --out"
            )
    if not (asked.out / CHECKPOINT).exists():
        raise InputError(
            f"{asked.out} holds no {CHECKPOINT} to resume; leave --resume out to start"
        )
    return Run(asked.out, source, source.load(), config)


def _source(asked: argparse.Namespace) -> dict[str, Any]:
    """What the options say of the scene."""
    given = {name: getattr(asked, name) for name in ("scene", "downscale", "background")}
    if asked.scene and Path(asked.scene).exists():
        given["scene"] = str(Path(asked.scene).resolve())  # to be found from any folder
    return {name: value for name, value in given.items() if value is not None}


def _settings(asked: argparse.Namespace) -> dict[str, Value]:
    """What the options say of the parameters."""
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
    return settings


def _device(gpus: int | None) -> str:
    import torch

    available = torch.cuda.is_available()
    if gpus and not available:
        raise InputError("--gpus 1, but torch finds no GPU here; use --gpus 0")
    return "cuda" if available and gpus != 0 else "cpu"


def _inspect(run: Run) -> int:
    import imageio.v3 as iio

    from nerf.common.files import replace_atomically
    from nerf.scenes.bounds.inspection_image import draw_inspection
    from nerf.scenes.scene import Bounds

    scene, sampling = run.scene, run.config.sampling
    bounds = Bounds(sampling.near, sampling.far, "the command line")
    suggested = (scene.bounds.near, scene.bounds.far)
    if (bounds.near, bounds.far) != suggested:
        scene = dataclasses.replace(scene, bounds=bounds)
    replace_atomically(
        run.out / "inspect.png", lambda path: iio.imwrite(path, draw_inspection(scene))
    )
    print(f"{run.out / 'inspect.png'}: do near and far hold the object? "
          "If not, --set sampling.near=... --set sampling.far=...")  # fmt: skip
    return 0


def _train(run: Run, device: str) -> TrainResult | None:
    """The result, or None where Ctrl-C ended the run first."""
    from nerf.run.contact_sheet import ContactSheet
    from nerf.run.progress_bar import ProgressBar
    from nerf.training.health import explain_missed_object
    from nerf.training.loop import Interrupted, train

    missed = explain_missed_object(run.config, run.scene)
    if missed:
        print(f"warning: {missed}", file=sys.stderr)
    asked_to_stop: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked_to_stop.append(number))
    try:
        with ProgressBar(run.config.optimisation.steps) as bar:
            return train(
                run.config,
                run.scene,
                bar.evaluated,
                on_step=bar.stepped,
                on_picture=ContactSheet(run.out).add,
                should_stop=lambda: bool(asked_to_stop),
                checkpoint=run.out / CHECKPOINT,
                device=device,
            )
    except Interrupted:
        return None
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(exit_status(main))
