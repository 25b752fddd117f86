"""Whether training starts, and what a start that does not fail costs: the defaults before and now.

Studies of benchmarks/safe_start.toml (a variant `before`, and one for each density activation) and
of benchmarks/long_start.toml (variants `before` and `now`), one study a scene and budget.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.data.study import Study
from analysis.findings.tables import format_markdown_table
from analysis.findings.variants import label_variants
from analysis.published.collapse_tables import name_scene
from analysis.stats.paired import PairedDifference, compare_pair
from analysis.stats.rates import clopper_pearson_interval
from study.records.outcomes import BROKEN, COLLAPSED, SHOWS_NOTHING

BEFORE, NOW = "before", "now"
_DEFAULT_ACTIVATION = "shifted_softplus"


def tabulate_starts(studies: Sequence[Study]) -> str:
    """A row for each scene: for each density activation the median PSNR, and runs that broke."""
    table = []
    for study in studies:
        runs = label_variants(study)
        cells = {
            name: _describe_runs(runs[runs["variant"] == name])
            for name in (str(data["name"]) for data in study.spec["variants"])
        }
        table.append({"scene": name_scene(study), **cells})
    return format_markdown_table(pd.DataFrame(table))


def describe_starts(studies: Sequence[Study]) -> str:
    """How many of all runs with the present defaults broke, and of those with the earlier ones."""
    runs = pd.concat(
        [label_variants(study).assign(scene_name=name_scene(study)) for study in studies]
    )
    earlier = runs["variant"] == BEFORE
    collapsed = runs[earlier & (runs["outcome"] == COLLAPSED)]
    scenes = ", ".join(collapsed["scene_name"].unique())
    return (
        f"With the defaults now {_describe_rate(runs[~earlier])}, over {len(studies)} scenes and "
        f"{runs.loc[~earlier, 'variant'].nunique()} density activations; with those before "
        f"({_DEFAULT_ACTIVATION}), {_describe_rate(runs[earlier])}"
        f"{f', all on {scenes}' if scenes else ''}."
    )


def tabulate_gains(studies: Sequence[Study]) -> str:
    """Now minus before, in dB, paired by seed: a row for each scene, a column for each budget."""
    table: dict[str, dict[str, str]] = {}
    for study in studies:
        row = table.setdefault(name_scene(study), {"scene": name_scene(study)})
        row[f"{study.spec['steps']} steps"] = describe_gain(study)
    return format_markdown_table(pd.DataFrame(list(table.values())).fillna("–"))


def describe_gain(study: Study) -> str:
    """`17.85 -> 19.20: +1.35 [+1.10, +1.60] (6)`: means in dB, their difference, its seeds."""
    runs = label_variants(study)
    d = measure_gain(study)
    means = [runs.loc[runs["variant"] == name, "psnr"].mean() for name in (d.second, d.first)]
    broken = runs[runs["variant"] == BEFORE]["outcome"].isin(BROKEN).sum()
    note = f", {broken} of them broke before" if broken else ""
    return f"{means[0]:.2f} to {means[1]:.2f}: {d.description} ({d.seeds}{note})"


def list_gains(studies: Sequence[Study]) -> list[float]:
    """The mean gain (dB) on each scene on which no run broke before."""
    gains = []
    for study in studies:
        runs = label_variants(study)
        if not runs.loc[runs["variant"] == BEFORE, "outcome"].isin(BROKEN).any():
            gains.append(measure_gain(study).mean)
    return gains


def measure_gain(study: Study) -> PairedDifference:
    """PSNR now minus before over the seeds; runs that broke count at their last PSNR."""
    runs = label_variants(study)
    names = {str(data["name"]) for data in study.spec["variants"]}
    now = NOW if NOW in names else _DEFAULT_ACTIVATION
    return compare_pair(now, BEFORE, runs.pivot(index="seed", columns="variant", values="psnr"))


def _describe_runs(runs: pd.DataFrame) -> str:
    counts = [
        f"{count} {word}"
        for outcome, word in ((COLLAPSED, "collapsed"), (SHOWS_NOTHING, "show nothing"))
        if (count := int((runs["outcome"] == outcome).sum()))
    ]
    return ", ".join([f"{runs['psnr'].median():.1f} dB", *counts])


def _describe_rate(runs: pd.DataFrame) -> str:
    count, collapsed = len(runs), int((runs["outcome"] == COLLAPSED).sum())
    nothing = int((runs["outcome"] == SHOWS_NOTHING).sum())
    _, high = clopper_pearson_interval(collapsed, count)
    return (
        f"{collapsed} of {count} runs collapsed (at most {high:.1%}) and {nothing} "
        f"{'shows' if nothing == 1 else 'show'} nothing"
    )
