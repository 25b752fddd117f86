"""What kills a density, over several scenes: counts of collapsed runs, by scene and over all."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.data.selection import select_trained_or_broken
from analysis.data.study import Study
from analysis.findings.tables import format_markdown_table
from analysis.published.strata import name_choice
from analysis.stats.rates import clopper_pearson_interval
from study.records.outcomes import COLLAPSED


def join_scenes(studies: Sequence[Study]) -> pd.DataFrame:
    """The explored runs of all studies that trained or broke, with a column `scene_name`."""
    return pd.concat(
        [
            select_trained_or_broken(study.trials).assign(scene_name=name_scene(study))
            for study in studies
        ]
    )


def name_scene(study: Study) -> str:
    """The scene of a study, with the background that its images are composited over."""
    name = str(study.scene["name"])
    over = study.spec.get("background")
    return f"{name} over {over}" if name == "lego_200" else name


def tabulate_collapses(studies: Sequence[Study], rows: str, columns: str) -> str:
    """Collapsed / all runs over all scenes for each pair of choices, with the row's interval."""
    runs = join_scenes(studies)
    choices = sorted(runs[columns].unique())
    table = []
    for row, of_row in [*runs.groupby(rows), ("all", runs)]:
        cells = {
            name_choice(columns, choice): format_collapsed(of_row[of_row[columns] == choice])
            for choice in choices
        }
        table.append({rows: row, **cells, "all": format_collapsed(of_row, interval=True)})
    return format_markdown_table(pd.DataFrame(table))


def tabulate_by_scene(studies: Sequence[Study], rows: str, where: str, value: float) -> str:
    """Collapsed / all runs for each choice of `rows` and scene, where `where` has a value."""
    runs = join_scenes(studies)
    runs = runs[runs[where] == value]
    table = []
    for row, of_row in [*runs.groupby(rows), ("all", runs)]:
        by_scene = {
            str(scene): format_collapsed(of_row[of_row["scene_name"] == scene])
            for scene in runs["scene_name"].unique()
        }
        table.append({rows: row, **by_scene})
    return format_markdown_table(pd.DataFrame(table))


def format_collapsed(runs: pd.DataFrame, interval: bool = False) -> str:
    """`3/12`, or with its interval `3/12: 25% [5%, 57%]`; a dash without runs."""
    if runs.empty:
        return "–"
    count, collapsed = len(runs), int((runs["outcome"] == COLLAPSED).sum())
    if not interval:
        return f"{collapsed}/{count}"
    low, high = clopper_pearson_interval(collapsed, count)
    return f"{collapsed}/{count}: {collapsed / count:.0%} [{low:.0%}, {high:.0%}]"


def describe_collapses(studies: Sequence[Study], path: str) -> str:
    """How many runs collapse with each choice of `path`, and on which scenes they do.

    A choice with which runs collapse on one scene only has its name beside it.
    """
    runs = join_scenes(studies)
    collapsed = runs[runs["outcome"] == COLLAPSED]
    rates = runs.groupby(path)["outcome"].apply(lambda o: float((o == COLLAPSED).mean()))
    parts = []
    for choice in rates.sort_values(ascending=False).index:
        of_choice = runs[runs[path] == choice]
        scenes = of_choice.loc[of_choice["outcome"] == COLLAPSED, "scene_name"].unique()
        where = f"on {len(scenes)} scenes" if len(scenes) != 1 else f"all on {scenes[0]}"
        place = f" ({where})" if len(scenes) else ""
        parts.append(f"{choice} {format_collapsed(of_choice, interval=True)}{place}")
    without = sorted(set(runs["scene_name"]) - set(collapsed["scene_name"]))
    spared = f" On {', '.join(without)} none collapses." if without else ""
    return f"Collapsed runs over {len(studies)} scenes: {'; '.join(parts)}.{spared}"
