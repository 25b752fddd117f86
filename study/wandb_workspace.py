"""Saves a W&B workspace for a study: its metric's curves, parallel coordinates, collapse by tag.

    python study/wandb_workspace.py STUDY --entity TEAM

For a study that was run with `--wandb online`, or whose offline runs were uploaded. Collapsed runs
are red, and the table of runs has each one's state and reason.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from nerf.common.files import write_atomically
from study.records.schema import SCENE_COLUMN
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trackers.tracker import run_key
from study.trackers.wandb_run import PROJECT

if TYPE_CHECKING:
    from wandb_workspaces.workspaces import Section, Workspace

_COLLAPSED = "#c62828"
_MAX_RUNS = 1000  # W&B's own limits are 10 for a workspace and 20 for a panel


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 for an error."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser(
        "Save a W&B workspace for a study: its metric's curves, parallel coordinates, and collapse "
        "by tag.",
        # Not by `command_line`, which knows the console scripts: this command has none.
        examples=("python study/wandb_workspace.py studies/first --entity my-team",),
    )
    parser.add_argument("study", type=Path, help="the study folder")
    parser.add_argument("--entity", required=True, help="the W&B user or team of the runs")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write it as JSON to FILE, and upload nothing"
    )
    options = parser.parse(arguments)
    view = make_workspace(StudyFolder(options.study.absolute()), options.entity)
    if options.out:
        content = view._to_model().spec.model_dump_json(by_alias=True, exclude_none=True, indent=1)
        write_atomically(options.out, content.encode())
        print(f"wrote {options.out}")
        return 0
    print(f"workspace: {view.save().url}")
    return 0


def make_workspace(folder: StudyFolder, entity: str) -> Workspace:
    """The workspace of a study, which shows no other study of the same W&B project.

    Raises `InputError` where `wandb-workspaces` is missing.
    """
    spec = StudySpec.from_json(folder.read_spec())
    try:
        import wandb_workspaces.workspaces as ws
        from wandb_workspaces import expr
    except ImportError:
        raise InputError(
            "a W&B workspace needs the package wandb-workspaces, which is not installed; "
            "pip install -e '.[workspace]'"
        ) from None
    metric = spec.objective.metric
    columns = ["run:displayName", "run:tags", f"summary:{metric}", "summary:state"]
    columns.append("summary:reason")
    rows = [record["trial"] for record in folder.records()]
    collapsed = [row["trial_id"] for row in rows if row["state"] == "collapsed"]
    return ws.Workspace(
        entity=entity,
        project=PROJECT,
        name=folder.name,
        sections=_sections(spec),
        settings=ws.WorkspaceSettings(max_runs=_MAX_RUNS),
        runset_settings=ws.RunsetSettings(
            filters=expr.And(expr.Metric("Group") == folder.name),
            order=[expr.Ordering(expr.Summary(metric), ascending=spec.objective.minimize)],
            pinned_columns=columns,
            run_settings={
                run_key(folder, name): ws.RunSettings(color=_COLLAPSED) for name in collapsed
            },
        ),
    )


def _sections(spec: StudySpec) -> list[Section]:
    import wandb_workspaces.reports.v2 as panels
    from wandb_workspaces.workspaces import Section

    objective = spec.objective
    metric = objective.metric
    curves: dict[str, Any] = {"x": "Step", "y": [metric], "title_y": objective.title}
    by_tag: dict[str, Any] = {"groupby": "Tags", "groupby_aggfunc": "mean"}
    columns = [
        panels.ParallelCoordinatesPlotColumn(panels.Config(d.path), log=d.log)
        for d in spec.space.dimensions
    ]
    if spec.scenes:
        columns.insert(0, panels.ParallelCoordinatesPlotColumn(panels.Config(SCENE_COLUMN)))
    last = panels.ParallelCoordinatesPlotColumn(panels.SummaryMetric(metric), objective.title)
    return [
        Section(
            name=objective.label,
            is_open=True,
            panels=[
                panels.LinePlot(**curves, title="Trials", max_runs_to_show=_MAX_RUNS),
                panels.MediaBrowser(media_keys=["render"]),
            ],
        ),
        Section(
            name="Parameters",
            is_open=True,
            panels=[panels.ParallelCoordinatesPlot(columns=[*columns, last], title="Parameters")],
        ),
        Section(
            name="Collapse by tag",
            is_open=True,
            panels=[
                panels.LinePlot(
                    **curves, **by_tag, groupby_rangefunc="minmax", title="Mean by state"
                ),
                panels.BarPlot(
                    metrics=[metric], **by_tag, title=f"Final {objective.label} by state"
                ),
            ],
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
