"""Runs, resumes or extends a study, and reports on it.

    python study/run_sweep.py --help

A mistake in the options gives one line and exit status 2, before anything is created. Ray, Optuna
and torch, which take seconds to import, are imported only once the options are known to be valid.
"""

from __future__ import annotations

import functools
import shutil
import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING

import psutil

from nerf.common.command_line import INTERRUPTED, exit_status
from nerf.common.commands import command_line
from nerf.common.errors import InputError
from nerf.common.printed_lines import wrap_line
from study.cli.options import parse_options
from study.spec.study_file_writer import write_study_file

if TYPE_CHECKING:
    from rich.console import Console

    from analysis.claims.claim import Kind
    from analysis.findings.analyze_study import Findings
    from study.cli.plan import Plan
    from study.protocol.stopping import Stop
    from study.records.study_folder import StudyFolder


_COUNTS: tuple[Kind, ...] = ("state", "by_hand", "started_from", "stopping")
"""Kinds of claims on which trials were run, in the lines that a study ends with."""


def main(arguments: list[str] | None = None, console: Console | None = None) -> int:
    """Returns the exit status: 0 when finished, 2 for an error, 130 when interrupted.

    console: where progress is shown, if not on standard output
    """
    return exit_status(lambda: _run(arguments, console))


def _run(arguments: list[str] | None, console: Console | None) -> int:
    options = parse_options(arguments)
    from study.cli.make_plan import make_plan
    from study.monitor.live_view import StudyConsole

    plan = make_plan(options)
    for note in (*options.notes, *plan.notes):
        print(note)
    if plan.warning:
        print(f"warning: {plan.warning}", file=sys.stderr)
    if options.dry_run:
        print(*_describe_dry_run(plan), sep="\n")
        return 0
    if options.save_study:
        launch = options.given()
        if not plan.is_new:  # the file makes another study, which needs a name of its own
            launch.pop("name", None)
        write_study_file(options.save_study, plan.spec, launch)
        print(f"wrote {options.save_study}; run it with --study {options.save_study}")
        return 0

    plan.require_time()
    console = console or StudyConsole(force_terminal=False if options.plain else None)
    try:
        finished = _run_trials(plan, console)
    except KeyboardInterrupt:  # before the first trial, or while the report is written
        finished = False
    if not finished:
        _print(console, *_describe_interruption(plan))
        return INTERRUPTED
    from study.trackers.commands import describe_runs

    _print(console, *describe_runs(plan.spec, plan.folder))
    return 0


def _describe_interruption(plan: Plan) -> list[str]:
    """How far the study got, and the commands that continue from there."""
    from study.spec.study_spec import StudySpec

    if not plan.folder.spec_file.exists():
        return ["stopped before the study started; nothing is left of it"]
    ended = plan.folder.count_records()
    spec = StudySpec.from_json(plan.folder.read_spec())  # looks, or hours, may have changed it
    if spec.is_finished(ended):
        return ["stopped before the report was written", plan.report_hint]
    report = [plan.report_hint] if ended else []
    return [f"stopped before the study was finished; {plan.resume_hint}", *report]


def _run_trials(plan: Plan, console: Console) -> bool:
    """Runs the study's trials and reports on it; returns whether all trials have ended."""
    from study.cli.dry_run import foresee_allowed
    from study.driver.ray_environment import configure_ray_environment
    from study.driver.resources import fit_machine, require_free_space
    from study.protocol.stopping import Stop
    from study.trackers.commands import require_trackers

    began = psutil.Process().create_time()  # the hours of a study hold its start as well
    folder, spec, scenes = plan.folder, plan.spec, plan.scenes
    resources = None if spec.address else fit_machine(spec)
    require_free_space(folder.path)
    require_trackers(spec)
    configure_ray_environment(cluster=bool(spec.address))
    about = (line for scene in scenes.values() for line in (scene.summary, *scene.notes))
    _print(console, plan.summary, *about)
    if plan.is_new and (spec.hours or spec.budget):
        with console.status("measuring how long trials take"):
            allowed = foresee_allowed(plan)
        _print(console, *allowed)
    stop = Stop(plan.resume_hint)
    with ExitStack() as stack:
        with console.status("starting Ray"):
            from study.driver.launch import launch  # imports Ray, which reads its environment
            from study.driver.ray_session import opened

            notify = functools.partial(_print, console)
            session = stack.enter_context(opened(folder, spec, resources, notify))
        stack.enter_context(_mirror(plan, stop, console))
        spec = session.settle_pack(scenes, notify)
        with stop:
            if plan.is_new:
                from study.records.provenance import study_document

                with console.status("describing the study"):
                    folder.create(study_document(folder.name, spec, scenes, sys.argv))
            document = plan.extended_document
            extension = document and {**document, "spec": spec.to_json()}
            ending = launch(folder, spec, scenes, session, console, stop, extension, began)
        if ending.is_useless and plan.is_new and not spec.storage:
            shutil.rmtree(folder.path)
            raise InputError(f"{ending.reason}; nothing is left of the study")
        if ending.reason:
            raise InputError(f"stopped: {ending.reason}; fix that, then {plan.resume_hint}")
        if ending.finished:
            with console.status("analysing the trials, writing the report"):
                lines = _report(folder)
            _print(console, *lines)
            _require_a_result(folder)
    return ending.finished


def _describe_dry_run(plan: Plan) -> list[str]:
    """What a study will take, and what it will be able to tell, before anything is created."""
    from analysis.importance.power import describe_power
    from study.cli.dry_run import describe_forecast, predict

    planned = plan.spec.most_planned
    power = describe_power(planned["explore"]) if planned["explore"] else []
    return [*describe_forecast(plan, predict(plan)), *power]


def _require_a_result(folder: StudyFolder) -> None:
    """Raises `InputError` if every trial failed."""
    trials = folder.read_trials()
    if (trials["state"] == "failed").all():
        raise InputError(
            f"every trial failed, the first for this reason: {trials['reason'].iloc[0]} "
            f"(tracebacks: {folder.errors}); fix that, then start a new study with another --name"
        )


def _mirror(plan: Plan, stop: Stop, console: Console) -> AbstractContextManager[None]:
    """A context in which the study is mirrored to its `--storage`, if it has one."""
    if not plan.spec.storage:
        return nullcontext()
    from study.storage.mirror import mirrored

    return mirrored(
        plan.folder, plan.spec.storage, plan.is_new, stop, lambda text: _print(console, text)
    )


def _report(folder: StudyFolder) -> list[str]:
    """Writes report.html and best.toml, and returns the lines that summarise them."""
    from analysis.claims.list_claims import list_answer_lines, list_claims, select_claims
    from analysis.data.study import list_scenes
    from analysis.findings.analyze_study import analyze_study
    from analysis.report import write_report

    if list_scenes(folder):
        return _report_scenes(folder)
    findings = analyze_study(folder)
    best = _write_best(folder, findings)  # first: the report names the file
    report = write_report(folder, findings)
    claims = list_claims(findings)
    return [
        *(claim.text for claim in select_claims(claims, *_COUNTS)),
        *list_answer_lines(claims),
        *_describe_failures(findings),
        *best,
        f"report: {report}",
    ]


def _report_scenes(folder: StudyFolder) -> list[str]:
    """As `_report`, of a study of several scenes: each has a page and a best configuration."""
    from analysis.claims.scene_claims import list_scenes_lines
    from analysis.data.outcomes import format_outcomes
    from analysis.findings.scenes import analyze_scenes
    from analysis.report import write_report, write_scenes_report

    findings = analyze_scenes(folder)
    by_scene = findings.by_scene.values()
    best = [line for own in by_scene for line in _write_best(folder, own)]
    failures = [line for own in by_scene for line in _describe_failures(own)]
    reports = [write_report(folder, own) for own in by_scene]
    counts = (f"{own.study.scene_label}: {format_outcomes(own.study.trials)}" for own in by_scene)
    return [
        *counts,
        *list_scenes_lines(findings),
        *failures,
        *best,
        *(f"report: {report}" for report in (*reports, write_scenes_report(findings))),
    ]


def _describe_failures(findings: Findings) -> list[str]:
    """Why the first failed trial did; how many failed is among the claims."""
    failed = findings.study.trials.query("state == 'failed'")
    if failed.empty:
        return []
    first = failed.iloc[0]
    return [f"the first that failed, trial {first['trial_id']}: {first['reason']}"]


def _write_best(folder: StudyFolder, findings: Findings) -> list[str]:
    """Writes best.toml, if there is a best trial; returns a line on that trial, and a command.

    Of one of several scenes, best-SCENE.toml.
    """
    from analysis.claims.commands import plugin_options, scene_options
    from study.records.best_config import describe_quality, write_best
    from study.records.outcomes import SHOWS_NOTHING
    from study.spec.study_spec import StudySpec

    front, label = findings.front, findings.study.scene_label
    if front is not None and front.balanced is None:  # none trained
        front = None
    best = front.balanced if front else findings.best
    where = f" on {label}" if label else ""
    if best is None:
        return [f"no trial{where} completed its full budget"]
    spec = StudySpec.from_json(folder.read_spec()).of_scene(label)
    file = write_best(folder, best.to_dict(), spec, findings.study.best_file)
    which = f"most balanced of {len(front.trials)} on the Pareto front" if front else "best"
    quality = (
        f"{which}{where}: trial {best['number']} with {describe_quality(spec, best.to_dict())}"
    )
    if best["outcome"] == SHOWS_NOTHING:  # as all others that completed
        quality += ", which shows nothing"
    if spec.trainer:
        return [f"{quality}; its parameters: {file}"]
    read = (*scene_options(findings.study), *plugin_options(findings.study))
    command = command_line("nerf/train.py", *read, "--config", file, "--steps", 5000)
    return [f"{quality}; train it for longer with:", f"  {command}"]


def _print(console: Console, *lines: str) -> None:
    for line in lines:
        shown = wrap_line(line, console.width) if console.is_terminal else line
        console.print(shown, soft_wrap=True, highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
