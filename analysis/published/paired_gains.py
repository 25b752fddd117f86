"""Gains in PSNR of one choice over another, paired by seed, for each scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.data.selection import select_finished
from analysis.data.study import Study
from analysis.findings.tables import format_markdown_table
from analysis.stats.paired import compare_pair


def tabulate_paired_gains(studies: Sequence[Study], path: str, usual: str) -> str:
    """PSNR gain of each choice over `usual`, paired by seed.

    studies: they differ in one choice, `path`, and share their seeds

    A study with more steps than the others of its scene shows the gain from training time alone.
    """
    steps = min(int(study.trials["budget_steps"].min()) for study in studies)
    rows = []
    for scene, values in _label_runs(studies, path):
        for other in sorted(set(values.columns) - {usual}):
            d = compare_pair(other, usual, values)
            rows.append(
                {
                    "scene": scene,
                    "seeds": d.seeds,
                    f"{usual} for {steps} steps": f"{values[usual].mean():.2f} dB",
                    "alternative": other,
                    "gain": f"{d.description} dB",
                }
            )
    return format_markdown_table(pd.DataFrame(rows))


def describe_equal_time(studies: Sequence[Study], path: str, first: str, second: str) -> str:
    """PSNR of two rows of `tabulate_paired_gains` against each other, by scene."""
    parts = []
    for scene, values in _label_runs(studies, path):
        if {first, second} <= set(values.columns):
            d = compare_pair(first, second, values)
            parts.append(f"{scene} {d.description} dB")
    return f"{first} minus {second}: {', '.join(parts)}."


def _label_runs(studies: Sequence[Study], path: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """For each scene PSNR in dB, a row for each seed and a column for each choice and budget.

    A choice with more steps than the others of its scene has them in its name.
    """
    runs = pd.concat(
        select_finished(study.trials).assign(scene=study.scene["name"]) for study in studies
    )
    for scene, group in runs.groupby("scene"):
        steps = group["budget_steps"].min()
        choice = group[path].astype(str)
        longer = choice + " for " + group["budget_steps"].astype(str) + " steps"
        label = choice.where(group["budget_steps"] == steps, longer)
        values = group.assign(label=label).pivot(index="seed", columns="label", values="psnr")
        yield str(scene), values
