"""The report's sections that show the trials themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.data.selection import measured
from analysis.figures.learning_curves import plot_learning_curves
from analysis.figures.parallel_coordinates import plot_parallel_coordinates
from analysis.figures.pareto_front import plot_pareto_front
from analysis.findings.pareto_front import pareto
from analysis.pages import markup
from analysis.pages.markup import text
from analysis.pages.thumbnails import thumbnail

if TYPE_CHECKING:
    from analysis.findings.study_findings import Findings

_COLUMNS = {
    "trial_id": "trial", "phase": "phase", "state": "state", "psnr": "PSNR",
    "test_psnr": "test PSNR", "ssim": "SSIM", "steps_done": "steps", "train_seconds": "seconds",
}  # fmt: skip


def curves(found: Findings) -> str:
    study = found.study
    if study.curves.empty:
        return ""
    states = dict(zip(study.trials["trial_id"], study.trials["state"], strict=True))
    highlighted = {}
    if found.default is not None:
        highlighted[str(found.default["trial_id"])] = "defaults"
    if found.best is not None:
        highlighted[str(found.best["trial_id"])] = "best"
    drawn = plot_learning_curves(study.curves, states, highlighted, study.baselines)
    levels = " Levels are pictures that know nothing of the scene." if study.baselines else ""
    return markup.section(
        "curves", "How did training go?",
        markup.figure(drawn, "Validation PSNR against training steps"),
        f"Solid lines completed, dashed were pruned, dotted collapsed.{levels}",
    )  # fmt: skip


def cost(found: Findings) -> str:
    done = measured(found.study.trials)
    if len(done) < 2:
        return ""
    body = markup.figure(plot_pareto_front(done, pareto(done)), "PSNR against seconds of training")
    return markup.section(
        "cost", "What does quality cost?", body,
        "Seconds of training without evaluation, on whatever else the machine was doing. The line "
        "joins completed trials that none beats in both.",
    )  # fmt: skip


def combinations(found: Findings) -> str:
    done = measured(found.study.trials)
    if len(done) < 2:
        return ""
    drawn = plot_parallel_coordinates(done, found.study.space.dimensions)
    wide = markup.figure(drawn, "Every trial as a line over all parameters")
    body = f'<div class="scroll card"><div class="wide">{wide}</div></div>'
    return markup.section(
        "combinations", "Which combinations do well?", body,
        "A line a trial, bright ones are better. Drag along an axis to keep only the lines through "
        "that range; press the axis to let them all in again.",
    )  # fmt: skip


def trials(found: Findings) -> str:
    study = found.study
    paths = [effect.path for effect in found.effects]
    columns = [*_COLUMNS, *paths, "reason"]
    heads = [*_COLUMNS.values(), *(effect.label for effect in found.effects), "reason"]
    header = "".join(
        f'<th aria-sort="none"><button type="button">{text(head)}</button></th>' for head in heads
    )
    rows = "".join(
        _row(row, columns, thumbnail(study.folder.render(str(row["trial_id"]))))
        for _, row in study.trials.sort_values("psnr", ascending=False).iterrows()
    )
    body = (
        '<p class="controls"><label>Show only <input type="search" id="filter" '
        'placeholder="any text, e.g. relu or collapsed"></label> '
        '<output id="shown" for="filter"></output></p>'
        '<div class="scroll tall" tabindex="0" role="region" aria-label="All trials"><table '
        f'id="trial-table"><thead><tr><th>render · truth</th>{header}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><dialog id="look"><form method="dialog">'
        '<button aria-label="Close">×</button></form><div></div></dialog>'
    )
    return markup.section(
        "trials", "Every trial", body,
        "Press a heading to sort by it, a render to look closer.",
    )  # fmt: skip


def _row(row: pd.Series, columns: list[str], picture: str) -> str:
    name = text(row["trial_id"])
    image = (
        f'<button class="thumb" data-trial="{name}"><img decoding="async" src="{picture}" '
        f'alt="render of trial {name}"></button>'
        if picture
        else '<span class="soft">none</span>'
    )
    cells = "".join(f'<td data-v="{text(row[c])}">{markup.cell(row[c])}</td>' for c in columns)
    return f'<tr data-trial="{name}" class="{text(row["state"])}"><td>{image}</td>{cells}</tr>'
