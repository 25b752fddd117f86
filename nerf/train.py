"""Trains one NeRF from the command line: `python nerf/train.py --scene bricks`."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.common.command_line import (
    INTERRUPTED,
    Parser,
    add_plugin_option,
    add_scene_options,
    exit_status,
    option_values,
)
from nerf.common.commands import command_line
from nerf.common.errors import InputError
from nerf.common.printed_lines import print_line
from nerf.config.flat import (
    BEFORE_ADDED,
    build,
    complete_earlier,
    flatten,
    with_suggested_bounds,
)
from nerf.config.parameter_help import describe_parameters
from nerf.config.parameters import DERIVED, Value, list_parameters
from nerf.config.plugin import load_named, plugin_options
from nerf.config.presets import FAST
from nerf.config.schema import NerfConfig
from nerf.config.settings import parse_settings, read_settings
from nerf.run.run_folder import CHECKPOINT, Run, SceneSource, read_run, require_no_run
from nerf.run.summary import describe_files, describe_result

if TYPE_CHECKING:
    from nerf.training.run import Progress, TrainResult

FINAL_PIXELS = 40_000
"""evaluation.final_pixels of a single run, which can afford more than each of a study's trials."""


def main(arguments: list[str] | None = None) -> int:
    """Trains, shows progress, and leaves a folder with result, images and checkpoint."""
    return exit_status(lambda: _train_command(parse_options(arguments)))


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; raises `InputError` for unknown options and values."""
    load_named(option_values(arguments, "--plugin"))
    program = "nerf/train.py"
    parser = Parser(
        "Train one NeRF and save it in a run folder, with its result, pictures and checkpoint.",
        examples=(
            command_line(program, "--scene", "bricks"),
            command_line(program, "--scene", "PHOTOS/", "--inspect"),
            command_line(program, "--scene", "PHOTOS/", "--fast"),
            command_line(program, "--scene", "PHOTOS/", "--out", "runs/mine", "--steps", 5000),
            command_line(program, "--resume", "--out", "runs/mine"),
        ),
        epilog="parameters for --set PATH=VALUE, with their defaults and, in brackets,\n"
        f"the choices, or the range that a study may vary:\n{describe_parameters()}",
    )
    add_scene_options(parser)
    add_plugin_option(parser)
    parser.add_argument(
        "--inspect",
        action="store_true",
        help="draw cameras, points and near/far to inspect.png instead of training",
    )
    defaults = NerfConfig()
    steps = f"training steps, optimisation.steps (default: {defaults.optimisation.steps})"
    parser.add_argument("--steps", type=int, metavar="S", help=steps)
    seed = f"seed of all random numbers (default: {defaults.seed})"
    parser.add_argument("--seed", type=int, metavar="K", help=seed)
    parser.add_argument(
        "--gpus", type=int, choices=(0, 1), help="GPUs to use (default: 1 if there is one)"
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="train voxels instead of a network, for a first look within a minute; other options "
        f"override its settings: {', '.join(f'{path}={value}' for path, value in FAST.items())}",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/SCENE)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in --out with the scene and parameters it was started with",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML file of PATH = value lines, such as a study's best.toml; options override it",
    )
    return parser.parse(arguments)


def _train_command(options: argparse.Namespace) -> int:
    run = _existing_run(options) if options.resume else _new_run(options)
    print_line(run.scene.summary)
    for note in run.scene.notes:
        print(f"  {note}")
    if options.inspect:
        return _inspect(run)
    device = _device(options.gpus)
    if not options.resume:
        run.create()
    result = _train(run, device)
    if result is None:
        resume = command_line("nerf/train.py", "--resume", *plugin_options(), "--out", run.out)
        saved = (run.out / CHECKPOINT).exists()
        print(
            f"stopped and saved; resume with:\n  {resume}" if saved else "stopped; nothing is saved"
        )
        return INTERRUPTED
    run.write_result(result, device)
    print(describe_result(result))
    print(describe_files(run.out))
    return 0


def _new_run(options: argparse.Namespace) -> Run:
    """A run with the scene and config of the options."""
    settings = _settings(options)
    settings.setdefault("evaluation.final_pixels", FINAL_PIXELS)
    build(settings)  # raises for invalid values before seconds are spent on loading the scene
    if options.out and not options.inspect:
        require_no_run(options.out)  # before minutes are spent on matching photographs
    source = SceneSource(**_source(options))
    scene = source.load()
    config = build(with_suggested_bounds(settings, scene.bounds.near, scene.bounds.far))
    return Run(options.out or Path("runs") / scene.name, source, scene, config)


def _existing_run(options: argparse.Namespace) -> Run:
    """The run in --out as it was started; raises `InputError` if an option contradicts it."""
    if options.out is None:
        raise InputError("--resume needs the run folder; add --out FOLDER")
    source, config = read_run(options.out)
    started_with = vars(source) | flatten(config)
    requested = _source(options) | flatten(build(_settings(options), config))
    for name, value in requested.items():
        if value != started_with[name]:
            raise InputError(
                f"{options.out} was started with {name}={started_with[name]}, not {value}; omit "
                "that option to resume it, or choose another --out for a new run"
            )
    if not (options.out / CHECKPOINT).exists():
        raise InputError(
            f"{options.out} has no {CHECKPOINT} to resume from; omit --resume to start it again"
        )
    scene = source.load()
    if source.content_hash not in ("", scene.content_hash):
        print(
            f"warning: the scene {source.scene} is not what {options.out} was started with: its "
            "files have changed, or are read otherwise by this version",
            file=sys.stderr,
        )
    return Run(options.out, source, scene, config)


def _source(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of `SceneSource` that the options set."""
    names = [field.name for field in dataclasses.fields(SceneSource)]
    fields = {name: getattr(options, name) for name in names}
    if options.scene and Path(options.scene).exists():
        # Absolute, so that the run can be resumed from any folder.
        fields["scene"] = str(Path(options.scene).resolve())
    return {name: value for name, value in fields.items() if value is not None}


def _settings(options: argparse.Namespace) -> dict[str, Value]:
    """The parameters that the options set; those of --fast only where no other option does."""
    settings = _chosen(options)
    return dict(FAST) | settings if options.fast else settings


def _chosen(options: argparse.Namespace) -> dict[str, Value]:
    """The parameters that a user set; those of --config only where no other option does."""
    settings = parse_settings(options.set or [])
    for path, value in (("optimisation.steps", options.steps), ("seed", options.seed)):
        if value is not None:
            if path in settings:
                raise InputError(f"{path} is set twice, by its option and by --set; remove one")
            settings[path] = value
    if not options.config:
        return settings
    # A derived parameter, such as sampling.span, overrides the field that it sets.
    overridden = {DERIVED[path].sets if path in DERIVED else path for path in settings}
    from_file = read_settings(options.config)
    if not set(list_parameters()) - set(from_file) - {"seed", *DERIVED, *BEFORE_ADDED}:
        from_file = complete_earlier(from_file)  # a best.toml, perhaps of an earlier version
    return {path: v for path, v in from_file.items() if path not in overridden} | settings


def _device(gpus: int | None) -> str:
    import torch

    available = torch.cuda.is_available()
    if gpus and not available:
        raise InputError("--gpus 1 needs a GPU, but torch finds none; use --gpus 0")
    return "cuda" if available and gpus != 0 else "cpu"


def _inspect(run: Run) -> int:
    """Writes inspect.png with the near and far of the config."""
    import imageio.v3 as iio

    from nerf.common.files import replace_atomically
    from nerf.scenes.bounds.inspection_image import draw_inspection
    from nerf.scenes.scene import Bounds

    scene, sampling = run.scene, run.config.sampling
    if (sampling.near, sampling.far) != (scene.bounds.near, scene.bounds.far):
        bounds = Bounds(sampling.near, sampling.far, "the command line")
        if run.config.encoding.contraction != "none" and sampling.far > scene.bounds.far:
            # On the scale of a far without an end nothing could be seen.
            basis = f"the command line; far, {sampling.far:g}, is too far to be drawn"
            bounds = Bounds(sampling.near, scene.bounds.far, basis)
        scene = dataclasses.replace(scene, bounds=bounds)
    image = run.out / "inspect.png"
    replace_atomically(image, lambda path: iio.imwrite(path, draw_inspection(scene)))
    print(
        f"{image}: if the object does not lie between near and far, set both with "
        "--set sampling.near=... --set sampling.far=..."
    )
    return 0


def _train(run: Run, device: str) -> TrainResult | None:
    """Trains with a progress bar; returns None if Ctrl-C stopped the run before its end."""
    from nerf.run.contact_sheet import ContactSheet
    from nerf.run.progress_bar import ProgressBar
    from nerf.training.health import explain_missed_object
    from nerf.training.loop import Callbacks, Interrupted, train

    missed = explain_missed_object(run.config, run.scene)
    if missed:
        print(f"warning: {missed}", file=sys.stderr)
    interrupts: list[int] = []

    def interrupt(number: int, _: object) -> None:
        """Stops after the step in hand; the second time at once, with the last checkpoint."""
        if interrupts:
            raise KeyboardInterrupt
        interrupts.append(number)

    previous_handler = signal.signal(signal.SIGINT, interrupt)
    try:
        with ProgressBar(run.config.optimisation.steps) as bar:
            sheet = ContactSheet(run.out, run.scene, run.config.sampling)

            def show(progress: Progress) -> None:
                sheet.add(progress)
                bar.show_evaluation(progress)

            callbacks = Callbacks(
                on_step=bar.show_step,
                on_preview=sheet.render,
                on_progress=show,
                should_stop=lambda: bool(interrupts),
            )
            checkpoint = run.out / CHECKPOINT
            return train(run.config, run.scene, callbacks, checkpoint=checkpoint, device=device)
    except (Interrupted, KeyboardInterrupt):
        return None
    finally:
        signal.signal(signal.SIGINT, previous_handler)


if __name__ == "__main__":
    sys.exit(main())
