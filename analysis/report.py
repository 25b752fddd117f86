"""Writes a study's report.html: `python analysis/report.py STUDY_FOLDER`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.axes import axis, quantiles
from analysis.effects import Effect, effects
from analysis.importance import Importance, variance_shares
from analysis.load import Comparable, Study, best_trial, comparable, default_trial, load_study
from nerf.errors import InputError
from nerf.files import write_atomically
from study.folder import StudyFolder

_SEED = 0


@dataclass(frozen=True)
class Findings:
    """Everything the report shows, computed; the same study gives the same findings."""

    study: Study
    used: Comparable
    importance: Importance
    effects: tuple[Effect, ...]
    best: pd.Series | None
    default: pd.Series | None

    @property
    def headline(self) -> str:
        """The three parameters that matter most, or why none can be named: one sentence."""
        return self.importance.headline()


def findings(folder: StudyFolder | Path | str) -> Findings:
    """What a study's trials say so far; raises `InputError` where there is no study."""
    study = load_study(folder)
    used = comparable(study.trials)
    dimensions = study.space.dimensions
    attribution = variance_shares(
        quantiles(used.trials, dimensions),
        used.trials["psnr"].to_numpy(dtype=float),
        [axis(dimension) for dimension in dimensions],
        np.random.default_rng(_SEED),
    )
    return Findings(
        study,
        used,
        attribution.importance,
        effects(study),
        best_trial(study.trials),
        default_trial(study),
    )


def write_report(folder: StudyFolder | Path | str, found: Findings | None = None) -> Path:
    """Writes report.html into the study folder and returns its path."""
    from analysis.page import document

    found = found or findings(folder)
    report = found.study.folder.report
    write_atomically(report, document(found).encode())
    return report


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write a study's report.html.")
    parser.add_argument("study", type=Path, help="a study folder that study/run_sweep.py made")
    asked = parser.parse_args(arguments)
    try:
        found = findings(asked.study)
        path = write_report(asked.study, found)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(found.headline)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
