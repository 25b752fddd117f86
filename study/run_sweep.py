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
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.common.command_line import INTERRUPTED, exit_status
from nerf.common.errors import InputError
from study.cli.options import parse
from study.cli.settling import settled
from study.driver.ray_environment import settle_environment
from study.protocol.stopping import Stop
from study.spec.study_file import write_description
from study.spec.study_spec import StudySpec, check_unchanged, extend, study_space

if TYPE_CHECKING:
    from rich.console import Console

    from nerf.scenes import Scene
    from study.records.study_folder import StudyFolder


def main(arguments: list[str]) -> int:
    """The exit status: 0 done, 2 a mistake in what was asked for, 130 interrupted."""
    return exit_status(lambda: _run(arguments))


@dataclass(frozen=True)
class _Plan:
    """A study that is about to begin, or to go on."""

    folder: StudyFolder
    spec: StudySpec
    scene: Scene
    is_new: bool
    extension: dict[str, Any] | None = None
    """Its new study.json where it is extended."""

    @property
    def way_back(self) -> str:
        """The command that goes on with it."""
        place = ["--studies", str(self.folder.path.parent), "--name", self.folder.name]
        return f"go on with: {shlex.join([sys.executable, sys.argv[0], *place, '--resume'])}"


def _run(arguments: list[str]) -> int:
    given = settled(parse(arguments))
    goes_on = "resume" in given or "extend" in given
    plan = _kept(given) if goes_on else _new(given)
    if "save_study" in given:
        write_description(given["save_study"], given)
        print(f"wrote {given['save_study']}; run it with --study {given['save_study']}")
        return 0

    from rich.console import Console

    console = Console(force_terminal=False if "plain" in given else None)
    finished = _carry_out(plan, console)
    if not finished:
        print(f"stopped before its end; {plan.way_back}")
        return INTERRUPTED
    if plan.spec.wandb == "offline":
        from study.worker.wandb_run import sync_command

        _say(console, f"to W&B: {sync_command(plan.folder)}")
    return 0


def _carry_out(plan: _Plan, console: Console) -> bool:
    """Runs the study and reports on it; whether it came to its end."""
    from study.driver.resources import fit, require_room

    folder, spec, scene = plan.folder, plan.spec, plan.scene
    resources = None if spec.address else fit(spec)
    require_room(folder.path)
    if spec.wandb == "online":
        from study.worker.wandb_run import require_account

        require_account()
    settle_environment(cluster=bool(spec.address))
    stop = Stop(plan.way_back)
    with _copied(plan, stop, console):
        with stop:
            from study.driver.launch import launch

            if plan.is_new:
                from study.records.provenance import document

                folder.create(document(folder.name, spec, scene, sys.argv))
            _say(console, f"study {folder.name} in {folder.path}", scene.summary)
            ending = launch(folder, spec, scene, resources, console, stop, plan.extension)
        if ending.reason:
            raise InputError(f"stopped: {ending.reason}; put that right, then {plan.way_back}")
        if ending.finished:
            with console.status("computing what mattered, writing the report"):
                found = _conclude(folder)
            _say(console, *found)
    return ending.finished


def _copied(plan: _Plan, stop: Stop, console: Console) -> AbstractContextManager[None]:
    """Keeps the study's copy up to date within, where one is asked for."""
    if not plan.spec.storage:
        return nullcontext()
    from study.storage.mirror import copied

    return copied(
        plan.folder, plan.spec.storage, plan.is_new, stop, lambda text: _say(console, text)
    )


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _new(given: Mapping[str, Any]) -> _Plan:
    space = study_space(
        given.get("vary", ()), given.get("set", ()), given.get("steps", StudySpec.steps)
    )
    spec = StudySpec(space=space, **_spec_fields(given))
    from study.records.study_folder import StudyFolder

    stem = "bricks" if "scene" not in given else Path(spec.scene).stem
    name = given.get("name") or f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    if Path(name).name != name:
        raise InputError(f"--name must be a plain folder name, got {name!r}; --studies says where")
    folder = StudyFolder(_studies(given) / name)
    # A driver that died while it wrote study.json leaves nothing but hidden temporary files.
    if folder.path.exists() and any(p.name[0] != "." for p in folder.path.iterdir()):
        raise InputError(f"{folder.path} exists; go on with it by --resume, or give another --name")
    scene = _load_scene(spec)
    space = spec.space.within((round(scene.bounds.near, 3), round(scene.bounds.far, 3)))
    for background in space.values("optimisation.background"):
        if background != "scene":
            scene.require_alphas(str(background))
    return _Plan(folder, dataclasses.replace(spec, space=space), scene, is_new=True)


def _kept(given: Mapping[str, Any]) -> _Plan:
    """The study `--name` as it was, but for what may be changed."""
    if "name" not in given:
        way = "--extend" if "extend" in given else "--resume"
        raise InputError(f"{way} needs the study's name; give --name")
    from study.records.study_folder import StudyFolder

    folder = StudyFolder(_studies(given) / given["name"])
    if "storage" in given:
        from study.storage.mirror import restore

        restore(folder, given["storage"])
    document = folder.read_spec()
    kept = StudySpec.from_json(document)
    space = kept.space
    if "vary" in given or "set" in given:
        space = study_space(given.get("vary", ()), given.get("set", ()), kept.steps)
        space = dataclasses.replace(space, bounds=kept.space.bounds)
    fields = _spec_fields(given)
    if "extend" in given:
        fields.pop("replicates", None)  # so many more, not in all
    spec = dataclasses.replace(kept, space=space, **fields)
    check_unchanged(spec, kept, list(fields) + [key for key in ("vary", "set") if key in given])
    scene = _load_scene(spec)
    if scene.content_hash != document["scene"]["hash"]:
        raise InputError(
            f"the scene {spec.scene} is not the one that study {folder.name} began with; "
            "put the old one back, or give another --name"
        )
    from study.records.provenance import differences

    plan = _Plan(folder, spec, scene, is_new=False)
    changes = "; ".join(differences(document))
    if "extend" in given:
        return _extended(plan, document, changes, given)
    if changes:
        print(f"warning: since study {folder.name} began, {changes}", file=sys.stderr)
    return plan


def _extended(
    plan: _Plan, document: dict[str, Any], changes: str, given: Mapping[str, Any]
) -> _Plan:
    """With more trials than its study.json, the `document`, asks for."""
    from study.records.provenance import extended

    if changes and "allow_changes" not in given:
        raise InputError(
            f"new trials would not compare with those of study {plan.folder.name}: {changes}; put "
            "that back, give another --name, or --allow-changes"
        )
    spec = extend(plan.spec, given["extend"], given.get("replicates", 0))
    longer = extended(document, spec, sys.argv)
    return dataclasses.replace(plan, spec=spec, extension=longer)


def _studies(given: Mapping[str, Any]) -> Path:
    return Path(given.get("studies", "studies")).absolute()


def _spec_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(StudySpec)}
    return {name: value for name, value in given.items() if name in names}


def _load_scene(spec: StudySpec) -> Scene:
    from nerf.scenes import load

    return load(spec.scene, downscale=spec.downscale, background=spec.background)


def _conclude(folder: StudyFolder) -> list[str]:
    """Writes report.html and best.toml; returns the lines that say what the study found."""
    from analysis.report import findings, write_report
    from study.records.best_config import write_best

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
    return [*lines, found.headline, f"report: {report}"]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
