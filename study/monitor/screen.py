"""The screen of the live view and of `status`: a study's progress in the room of a terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from study.monitor.parameter_order import ParameterOrder, order_parameters
from study.monitor.progress import (
    RunningTrial,
    StudyProgress,
    TrivialPsnrs,
    trivial_psnr,
)
from study.monitor.wording import (
    format_duration,
    format_short,
    trial_line,
)
from study.records.outcomes import COLLAPSED, FAILED, OUTCOMES
from study.records.schema import PHASES, phase_name
from study.spec.dimension import Dimension
from study.spec.study_spec import StudySpec
from study.trainers.objective import PSNR

_SPARK_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 12
_GAP = 2
"""Columns between two columns of a table."""
_LABEL_LINES = 2
"""Of a heading, at most."""
_MIN_ROWS = 2
"""Running trials shown, if there are so many, however low the screen is."""
_MAX_TROUBLED = 3
"""Collapsed and failed trials shown, at most."""
_BEST_LINES = 2
_WIDE = 100
"""Columns from which on reasons are shown in full."""


@dataclass(frozen=True)
class Shown:
    """What the screen shows besides a study's progress.

    rate: steps a second, and seconds_left; None where that is not known
    waiting_for: what all trials wait for, if they do
    """

    trivial_psnrs: TrivialPsnrs = field(default_factory=dict)
    rate: float | None = None
    seconds_left: float | None = None
    waiting_for: str = ""


def render_progress(
    name: str,
    progress: StudyProgress,
    spec: StudySpec,
    shown: Shown,
    width: int = 80,
    height: int = 24,
) -> RenderableType:
    """Renders the progress of study `name`, in at most `height` - 1 lines of 80 columns or more."""
    dimensions = {label: spec.of_scene(label).space.dimensions for label in spec.labels}
    order = order_parameters(progress, dimensions)
    head: list[RenderableType] = [
        _one_line(f"{name}: {_describe_trials(progress)}", "bold"),
        _progress_bar(progress, shown),
        Text(),
        _phase_table(progress),
        _one_line(shown.waiting_for or _describe_queue(progress), "dim"),
    ]
    lines_left = height - 1 - len(head) - sum(map(bool, progress.planned.values()))
    if progress.bests:
        lines_left -= 1 + _BEST_LINES * len(progress.bests)
    troubled = _troubled(progress, width, max(lines_left - _table_lines(progress, _MIN_ROWS), 0))
    lines_left -= len(troubled)
    parts = [*head, *_running_trials(progress, spec, shown, order, width, lines_left)]
    parts += [Text()] if progress.bests else []
    for best in progress.bests:
        acting = (d for d in order.dimensions if d.path in best.values)
        values = (f"{d.label} {format_short(best.values[d.path])}" for d in acting)
        quality = progress.objective.format(best.value or math.nan)
        where = f" on {best.scene}" if best.scene else ""
        text = f"best{where}: trial {best.number}, {quality}: {', '.join(values)}"
        lines = textwrap.wrap(text, width, max_lines=_BEST_LINES, placeholder=" …")
        parts += [_one_line(line, "green") for line in lines]
    return Group(*parts, *(_one_line(line, "red") for line in troubled))


def sparkline(curve: Sequence[float], low: float, high: float) -> str:
    """The latest values of a curve as blocks: the lowest at `low`, the highest at `high`.

    A diverged run, whose metric is not a number, has the lowest block.
    """
    top, span = len(_SPARK_BLOCKS) - 1, max(high - low, 1e-9)
    blocks = ""
    for value in curve[-_SPARK_WIDTH:]:
        height = (value - low) / span if math.isfinite(value) else 0.0
        blocks += _SPARK_BLOCKS[math.floor(min(max(height, 0.0), 1.0) * top + 0.5)]
    return blocks


def metric_scale(
    progress: StudyProgress, trivial_psnrs: TrivialPsnrs, scene: str = ""
) -> tuple[float, float]:
    """The ends of every spark line of a scene: the best trivial image, and the highest metric.

    The lowest one takes the place of a trivial image that is not known.
    """
    seen = [v for trial in progress.running if trial.scene == scene for v in trial.curve]
    seen += [t.value for t in progress.ended if t.value is not None and t.scene == scene]
    seen = [value for value in seen if math.isfinite(value)]
    trivial = trivial_psnr(trivial_psnrs, scene)
    is_known = progress.objective == PSNR and math.isfinite(trivial)
    low = trivial if is_known else min(seen, default=0.0)
    return low, max([*seen, low])


def _describe_trials(progress: StudyProgress) -> str:
    text = f"{len(progress.ended)}/{sum(progress.planned.values())} trials"
    if progress.running:
        text += f", {len(progress.running)} {progress.running_word}"
    return text


def _progress_bar(progress: StudyProgress, shown: Shown) -> RenderableType:
    """The bar, the share that is done, and the time left."""
    share = progress.share_done
    text = f"{share * 100:.0f} %"
    if shown.seconds_left is not None:
        text += f", about {format_duration(shown.seconds_left)} left"
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True)
    bar = ProgressBar(total=1.0, completed=share, style="bright_black", complete_style="green")
    row.add_row(bar, text + (f", {shown.rate:.0f} steps a second" if shown.rate else ""))
    return row


def _phase_table(progress: StudyProgress) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("phase", "trials", progress.running_word, *OUTCOMES):
        table.add_column(heading, justify="left" if heading == "phase" else "right")
    for phase in (p for p in PHASES if progress.planned[p]):
        counts = [progress.count(phase, outcome) for outcome in OUTCOMES]
        running = sum(r.phase == phase for r in progress.running)
        row = (phase_name(phase), f"{sum(counts)}/{progress.planned[phase]}", running, *counts)
        table.add_row(*(str(cell or "·") for cell in row))
    return table


def _describe_queue(progress: StudyProgress) -> str:
    if progress.is_finished:
        return "all trials have ended"
    if not progress.ended and not progress.running:
        return f"{progress.queued} queued; the first trials start in some seconds"
    return f"{progress.queued} queued"


def _table_lines(progress: StudyProgress, rows: int) -> int:
    """Lines of the table of running trials with so many rows: also a blank one and a note."""
    return min(len(progress.running), rows) + _LABEL_LINES + 2 if progress.running else 0


def _running_trials(
    progress: StudyProgress,
    spec: StudySpec,
    shown: Shown,
    order: ParameterOrder,
    width: int,
    lines: int,
) -> list[RenderableType]:
    """A row for each running trial that fits in so many lines, and what was left out."""
    if not progress.running:
        return []
    rows = max(lines - _table_lines(progress, 0), _MIN_ROWS)
    trials = progress.running[:rows]
    psnrs = shown.trivial_psnrs
    scales = {label: metric_scale(progress, psnrs, label) for label in spec.labels}
    words = [
        progress.running_word
        if progress.is_interrupted
        else trial.health(trivial_psnr(psnrs, trial.scene), progress.objective)
        for trial in trials
    ]
    fixed = [*_measured_columns(trials, spec, scales), ("state", words)]
    if spec.scenes:
        fixed.append(("scene", [trial.scene for trial in trials]))
    used = sum(max(map(len, (*heading.split("\n"), *cells))) + _GAP for heading, cells in fixed)
    parameters = _parameter_columns(trials, order.dimensions, width - used)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for index, (heading, _) in enumerate((*fixed, *parameters)):
        is_number = index < 3 or (index >= len(fixed) and not order.is_text(index - len(fixed)))
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=True)
    for cells in zip(*(cells for _, cells in (*fixed, *parameters)), strict=True):
        table.add_row(*cells)
    note = _describe_columns(len(parameters), order, len(progress.running) - rows)
    return [Text(), table, *([_one_line(note, "dim")] if note else [])]


Column = tuple[str, list[str]]
"""A heading, of one or two lines, and a cell for each trial."""


def _measured_columns(
    trials: Sequence[RunningTrial], spec: StudySpec, scales: Mapping[str, tuple[float, float]]
) -> list[Column]:
    objective, steps = spec.objective, spec.steps
    low, high = scales[spec.labels[0]]
    ends = (f"{end:.1f}" if objective == PSNR else f"{end:.3g}" for end in (low, high))
    between = " to\n".join(ends)
    scale = f"{between} {objective.unit}".rstrip() if high > low else ""
    if spec.scenes:
        scale = "on its\nscene"
    heading = "\n".join((*_wrap_label(objective.label.replace("_", " ")), objective.unit)).rstrip()
    return [
        ("trial", [str(trial.number) for trial in trials]),
        ("step", [f"{trial.step}/{steps}" for trial in trials]),
        (heading, ["·" if t.value is None else objective.number(t.value) for t in trials]),
        (scale, [sparkline(trial.curve, *scales[trial.scene]) for trial in trials]),
    ]


def _parameter_columns(
    trials: Sequence[RunningTrial], dimensions: Sequence[Dimension], room: int
) -> list[Column]:
    """A column for each of the first dimensions, as many as fit in `room` columns."""
    columns: list[Column] = []
    for dimension in dimensions:
        own = [trial.values.get(dimension.path) for trial in trials]
        cells = ["·" if value is None else format_short(value) for value in own]
        lines = _wrap_label(dimension.label)
        room -= max(map(len, (*cells, *lines))) + (_GAP if columns else 0)
        if room < 0:
            break
        columns.append(("\n".join(lines), cells))
    return columns


def _wrap_label(label: str) -> list[str]:
    """A label in as few columns as `_LABEL_LINES` lines allow."""
    widths = range(max(map(len, label.split())), len(label) + 1)
    wraps = (textwrap.wrap(label, width) for width in widths)
    return next(lines for lines in wraps if len(lines) <= _LABEL_LINES)


def _describe_columns(columns: int, order: ParameterOrder, hidden_trials: int) -> str:
    """The order of the table's parameters, and how many of them and of the trials are left out."""
    hidden = len(order.dimensions) - columns
    parts = [order.basis] if columns > 1 and order.basis else []
    parts += [f"{hidden} more if wider"] if hidden else []
    parts += [f"{hidden_trials} more trials if higher"] if hidden_trials > 0 else []
    return "; ".join(parts)


def _troubled(progress: StudyProgress, width: int, lines: int) -> list[str]:
    """The latest collapsed and failed trials, with their reasons in full on wide screens."""
    troubled = [e for e in progress.ended if e.outcome in (COLLAPSED, FAILED)]
    shown: list[str] = []
    for trial in reversed(troubled[-_MAX_TROUBLED:]):
        text = trial_line(trial, progress.objective)
        wrapped = textwrap.wrap(text, width, subsequent_indent="  ") if width >= _WIDE else [text]
        if len(shown) + len(wrapped) > max(lines, 1):
            break
        shown = wrapped + shown
    return shown


def _one_line(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
