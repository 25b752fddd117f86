"""The command: runs a study, or goes on with one, and says what came of it.

    python study/run_sweep.py --help

Whatever is wrong with what was asked for comes out as one line and exit status 2, before anything
is created; Ray, Optuna and torch are imported only when the options are known to be right.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.command import INTERRUPTED, exit_status
from nerf.errors import InputError
from study.description import write_description
from study.environment import settle_environment
from study.options import parse
from study.spec import StudySpec, check_unchanged, extend, study_space
from study.stopping import Stop

if TYPE_CHECKING:
    from rich.console import Console

    from nerf.scenes import Scene
    from study.folder import StudyFolder

_BUILT_IN = ("bricks", "tiny-lego")


def main(arguments: list[str]) -> int:
    """The exit status: 0 done, 2 a mistake in what was asked for, 130 interrupted."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str]) -> int:
    given = parse(arguments)
    if given.get("gpus_per_trial") == "auto":
        from study.resources import gpu_share

        if given.get("address"):
            raise InputError(
                "--gpus-per-trial auto looks at this machine alone; with --address name a share"
            )
        given["gpus_per_trial"] = gpu_share(given.get("cpus_per_trial", StudySpec.cpus_per_trial))
    if "scene" in given and given["scene"] not in _BUILT_IN:
        given["scene"] = str(Path(given["scene"]).absolute())
    if "storage" in given and "://" not in given["storage"]:
        given["storage"] = str(Path(given["storage"]).absolute())
    studies = Path(given.get("studies", "studies")).absolute()
    goes_on = "resume" in given or "extend" in given
    extension: dict[str, Any] | None = None
    if goes_on:
        folder, spec, scene, extension = _kept(studies, given)
    else:
        folder, spec, scene = _new(studies, given)
    if "save_study" in given:
        write_description(given["save_study"], given)
        print(f"wrote {given['save_study']}; run it with --study {given['save_study']}")
        return 0

    from rich.console import Console

    from study.resources import fit, require_room

    console = Console(force_terminal=False if "plain" in given else None)
    resources = None if spec.address else fit(spec)
    require_room(folder.path)
    if spec.wandb == "online":
        from study.tracking import require_account

        require_account()
    again = [sys.executable, sys.argv[0], "--studies", str(studies), "--name", folder.name]
    way_back = f"go on with: {shlex.join([*again, '--resume'])}"
    settle_environment(cluster=bool(spec.address))
    stop = Stop(way_back)
    with _copied(folder, spec, not goes_on, stop, console):
        with stop:
            from study.sweep import launch

            if not goes_on:
                from study.provenance import document

                folder.create(document(folder.name, spec, scene, sys.argv))
            _say(console, f"study {folder.name} in {folder.path}", scene.summary)
            ending = launch(folder, spec, scene, resources, console, stop, extension)
        if ending.reason:
            raise InputError(f"stopped: {ending.reason}; put that right, then {way_back}")
        if not ending.finished:
            print(f"stopped before its end; {way_back}")
            return INTERRUPTED
        _conclude(folder, console)
    if spec.wandb == "offline":
        from study.tracking import sync_command

        _say(console, f"to W&B: {sync_command(folder)}")
    return 0


def _copied(
    folder: StudyFolder, spec: StudySpec, new: bool, stop: Stop, console: Console
) -> AbstractContextManager[None]:
    """Keeps the study's copy up to date within, where one is asked for."""
    if not spec.storage:
        return nullcontext()
    from study.mirror import copied

    return copied(folder, spec.storage, new, stop, lambda text: _say(console, text))


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _new(studies: Path, given: Mapping[str, Any]) -> tuple[StudyFolder, StudySpec, Scene]:
    space = study_space(
        given.get("vary", ()), given.get("set", ()), given.get("steps", StudySpec.steps)
    )
    spec = StudySpec(space=space, **_spec_fields(given))
    from study.folder import StudyFolder

    stem = "bricks" if "scene" not in given else Path(spec.scene).stem
    name = given.get("name") or f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    if Path(name).name != name:
        raise InputError(f"--name must be a plain folder name, got {name!r}; --studies says where")
    folder = StudyFolder(studies / name)
    # A driver that died while it wrote study.json leaves nothing but hidden temporary files.
    if folder.path.exists() and any(p.name[0] != "." for p in folder.path.iterdir()):
        raise InputError(f"{folder.path} exists; go on with it by --resume, or give another --name")
    scene = _load_scene(spec)
    space = spec.space.within((round(scene.bounds.near, 3), round(scene.bounds.far, 3)))
    for background in space.values("optimisation.background"):
        if background != "scene":
            scene.require_alphas(str(background))
    return folder, dataclasses.replace(spec, space=space), scene


def _kept(
    studies: Path, given: Mapping[str, Any]
) -> tuple[StudyFolder, StudySpec, Scene, dict[str, Any] | None]:
    """The study to go on with, and its new study.json where it is extended."""
    if "name" not in given:
        way = "--extend" if "extend" in given else "--resume"
        raise InputError(f"{way} needs the study's name; give --name")
    from study.folder import StudyFolder

    folder = StudyFolder(studies / given["name"])
    if "storage" in given:
        from study.mirror import restore

        restore(folder, given["storage"])
    document = folder.read_spec()
    kept = StudySpec.from_json(document)
    space = kept.space
    if "vary" in given or "set" in given:
        space = study_space(given.get("vary", ()), given.get("set", ()), kept.steps)
        space = dataclasses.replace(space, bounds=kept.space.bounds)
    fields = _spec_fields(given)
    more = fields.pop("replicates", 0) if "extend" in given else 0
    spec = dataclasses.replace(kept, space=space, **fields)
    check_unchanged(spec, kept, list(fields) + [key for key in ("vary", "set") if key in given])
    scene = _load_scene(spec)
    if scene.content_hash != document["scene"]["hash"]:
        raise InputError(
            f"the scene {spec.scene} is not the one that study {folder.name} began with; "
            "put the old one back, or give another --name"
        )
    from study.provenance import differences, extended

    changes = "; ".join(differences(document))
    if "extend" not in given:
        if changes:
            print(f"warning: since study {folder.name} began, {changes}", file=sys.stderr)
        return folder, spec, scene, None
    if changes and "allow_changes" not in given:
        raise InputError(
            f"new trials would not compare with those of study {folder.name}: {changes}; put that "
            "back, give another --name, or --allow-changes"
        )
    spec = extend(spec, given["extend"], more)
    return folder, spec, scene, extended(document, spec, sys.argv)


def _spec_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(StudySpec)}
    return {name: value for name, value in given.items() if name in names}


def _load_scene(spec: StudySpec) -> Scene:
    from nerf.scenes import load

    return load(spec.scene, downscale=spec.downscale, background=spec.background)


def _conclude(folder: StudyFolder, console: Console) -> None:
    """Writes the report and says what the study found."""
    from analysis.report import findings, write_report
    from study.best import write_best

    with console.status("computing what mattered, writing the report"):
        found = findings(folder)
        report = write_report(folder, found)
    if found.best is None:
        lines = ["no trial reached its full budget alive"]
    else:
        values = (f"{d.path}={_short(found.best[d.path])}" for d in found.study.space.dimensions)
        against = "" if found.default is None else f", the defaults {found.default['psnr']:.2f} dB"
        lines = [
            f"best: trial {found.best['trial_id']} with {found.best['psnr']:.2f} dB{against}",
            f"  {' '.join(values)}",
        ]
    failed = found.study.trials.query("state == 'failed'")
    if len(failed):
        first = failed.iloc[0]
        lines.append(f"{len(failed)} failed; trial {first['trial_id']}: {first['reason']}")
    if found.best is not None:
        scene = folder.read_spec()["spec"]["scene"]
        best = write_best(folder, found.best.to_dict(), scene)
        lines.append(
            f"train it further: python nerf/train.py --scene {shlex.quote(scene)} "
            f"--config {shlex.quote(str(best))} --steps 5000"
        )
    _say(console, *lines, found.headline, f"report: {report}")


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
