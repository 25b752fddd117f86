"""The variants of a study against its first one, paired by seed.

Variants are named configurations (study/spec/variants.py); the r-th runs of all share a seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import match_configuration
from analysis.data.study import Study
from analysis.stats.paired import PairedDifference, compare_pair
from study.spec.variants import Variant, variant_values


@dataclass(frozen=True)
class VariantComparison:
    """PSNR of each variant, and its difference from the first.

    psnr: dB, seeds x variants in the study's order; NaN where there is no run yet, or none survived
    to_first: each other variant minus the first, over the seeds that both have
    collapsed: variant -> how many of its runs collapsed
    """

    psnr: pd.DataFrame
    to_first: tuple[PairedDifference, ...]
    collapsed: dict[str, int]

    @property
    def first(self) -> str:
        return str(self.psnr.columns[0])


def compare_variants(study: Study, measure: str = "psnr") -> VariantComparison | None:
    """Compares a study's variants by `psnr` (validation) or `test_psnr`.

    Returns None if the study has no variants or none of their trials has ended. Runs that did not
    complete have no PSNR in the comparison: what they would have reached is not known.
    """
    runs = label_variants(study)
    if runs.empty:
        return None
    finished = runs.assign(value=runs[measure].where(runs["state"] == "completed"))
    psnr = finished.pivot(index="seed", columns="variant", values="value")
    names = [name for name in _names(study) if name in psnr.columns]
    psnr = psnr[names].astype(np.float64)
    counts = runs[runs["state"] == "collapsed"].groupby("variant").size()
    return VariantComparison(
        psnr=psnr,
        to_first=tuple(compare_pair(name, names[0], psnr) for name in names[1:]),
        collapsed={name: int(counts.get(name, 0)) for name in names},
    )


def label_variants(study: Study) -> pd.DataFrame:
    """The trials of a study's variants, with the name of each one's in the column `variant`."""
    trials = study.trials[study.trials["phase"] == "variant"]
    names = pd.Series("", index=trials.index, dtype="string", name="variant")
    for data in study.spec.get("variants", ()):
        variant = Variant.from_json(data)
        names[match_configuration(trials, variant_values(variant, study.space))] = variant.name
    return trials.assign(variant=names)


def _names(study: Study) -> list[str]:
    return [str(data["name"]) for data in study.spec.get("variants", ())]
