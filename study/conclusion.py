"""The end of a finished study: its report, its best configuration, and what it found in words."""

from __future__ import annotations

import shlex
from typing import Any

from analysis.report import findings, write_report
from study.best import write_best
from study.folder import StudyFolder


def conclude(folder: StudyFolder) -> list[str]:
    """Writes report.html and best.toml; the lines that say what the study found."""
    found = findings(folder)
    report = write_report(folder, found)
    if found.best is None:
        lines = ["no trial reached its full budget alive"]
    else:
        values = (f"{d.path}={_short(found.best[d.path])}" for d in found.study.space.dimensions)
        against = "" if found.default is None else f", the defaults {found.default['psnr']:.2f} dB"
        lines = [
            f"best: trial {found.best['trial_id']} with {found.best['psnr']:.2f} dB{against}",
            f"  {' '.join(values)}",
        ]
    failed = found.study.trials.query("state == 'failed'")
    if len(failed):
        first = failed.iloc[0]
        lines.append(f"{len(failed)} failed; trial {first['trial_id']}: {first['reason']}")
    if found.best is not None:
        scene = folder.read_spec()["spec"]["scene"]
        best = write_best(folder, found.best.to_dict(), scene)
        lines.append(
            f"train it further: python nerf/train.py --scene {shlex.quote(scene)} "
            f"--config {shlex.quote(str(best))} --steps 5000"
        )
    return [*lines, found.headline, f"report: {report}"]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
