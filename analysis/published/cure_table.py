"""What each cure of a dying density prevents, and what it costs: studies of the same variants.

Variants are named `CURE, DENSITY ACTIVATION` (benchmarks/cures.toml). All of them share their
seeds, and the cure `none` is what the others are compared with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.data.study import Study
from analysis.findings.tables import format_markdown_table
from analysis.findings.variants import label_variants
from analysis.published.collapse_tables import format_collapsed, name_scene
from study.records.outcomes import COLLAPSED, TRAINED

NO_CURE = "none"


@dataclass(frozen=True)
class CureRuns:
    """Every ended run of the studies.

    runs: columns cure, activation, scene_name, seed, outcome and psnr (dB)
    """

    runs: pd.DataFrame

    @property
    def cures(self) -> list[str]:
        """The cures in the order of the study file."""
        return list(self.runs["cure"].unique())

    @property
    def scenes(self) -> list[str]:
        return list(self.runs["scene_name"].unique())

    def change_psnr(self, cure: str) -> tuple[float, float, float]:
        """Mean change of PSNR (dB) against no cure, with its 95 % interval over scenes.

        Over the pairs of runs of one scene, activation and seed that trained with both: first the
        mean of each scene, then over scenes, with Student's t. NaN for fewer than two scenes.
        """
        from scipy.stats import t

        trained = self.runs[self.runs["outcome"] == TRAINED]
        wide = trained.pivot_table(
            index=["scene_name", "activation", "seed"], columns="cure", values="psnr"
        )
        if cure == NO_CURE or not {cure, NO_CURE} <= set(wide.columns):
            return (float("nan"),) * 3
        means = (wide[cure] - wide[NO_CURE]).dropna().groupby("scene_name").mean()
        if len(means) < 2:
            return (float("nan"),) * 3
        half = float(t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / len(means) ** 0.5)
        mean = float(means.mean())
        return mean, mean - half, mean + half


def read_cure_runs(studies: Sequence[Study]) -> CureRuns:
    """The runs of studies of benchmarks/cures.toml, one study a scene."""
    parts = []
    for study in studies:
        runs = label_variants(study)
        names = runs["variant"].str.split(", ", expand=True)
        parts.append(
            runs[["seed", "outcome", "psnr"]].assign(
                cure=names[0],
                activation=names[1],
                scene_name=name_scene(study),
            )
        )
    return CureRuns(pd.concat(parts))


def tabulate_cures(cures: CureRuns) -> str:
    """A row for each cure: collapsed runs by activation and over all, and what the cure costs."""
    table = []
    activations = list(cures.runs["activation"].unique())
    for cure in cures.cures:
        of_cure = cures.runs[cures.runs["cure"] == cure]
        cells = {a: format_collapsed(of_cure[of_cure["activation"] == a]) for a in activations}
        table.append(
            {
                "cure": cure,
                **cells,
                "all": format_collapsed(of_cure, interval=True),
                "scenes with a collapse": _list_scenes(of_cure),
                "dB where both train": _format_change(cures, cure),
            }
        )
    return format_markdown_table(pd.DataFrame(table))


def _list_scenes(runs: pd.DataFrame) -> str:
    scenes = runs.loc[runs["outcome"] == COLLAPSED, "scene_name"].unique()
    return ", ".join(scenes) or "none"


def _format_change(cures: CureRuns, cure: str) -> str:
    mean, low, high = cures.change_psnr(cure)
    return "" if math.isnan(mean) else f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"
