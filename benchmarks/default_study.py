"""What the default study settles, seed by seed.

    for seed in 11 12 13 14 15; do python study/run_sweep.py --seed $seed --name seed-$seed; done
    python benchmarks/default_study.py studies/seed-1?

A row for each study: explored trials whose bounds hold at least half of the object's depth, and how
many of these show it; the shares of PSNR's variance that are claimed; and with which value most
runs break, where a parameter decides that.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reporting import benchmark_parser, print_table, save_json

from analysis.data.study import load_study
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.published.near_far import select_explored
from analysis.stats.rates import BreakRate
from nerf.common.command_line import exit_status
from study.records.outcomes import TRAINED

VISIBLE = 0.5
"""Part of the object's depth that bounds must hold to allow it to be shown."""


def describe(findings: Findings) -> list[object]:
    """The row of one study."""
    explored = select_explored(findings.study)
    allowed = explored[explored["visible"] >= VISIBLE]
    shown = int((allowed["outcome"] == TRAINED).sum())
    importance, breaking = findings.importance, findings.breaking
    shares = [share.describe() for share in importance.significant_shares]
    worst = [f"{p.label} {_format(p.worst)}" for p in breaking.significant_parameters]
    return [
        findings.study.name,
        len(explored),
        f"{shown} of {len(allowed)}",
        f"{importance.r2:.2f}",
        "; ".join(shares) or "-",
        "; ".join(worst) or "-",
    ]


def _format(rate: BreakRate) -> str:
    return f"{rate.name} {100 * rate.rate:.0f} % [{100 * rate.low:.0f}, {100 * rate.high:.0f}]"


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument("study", nargs="+", type=Path, help="folders of default studies")
    options = parser.parse(arguments)
    rows = [describe(analyze_study(load_study(folder))) for folder in options.study]
    columns = ["study", "explored", "show the object", "R2", "shares", "most break with"]
    print_table("default studies", columns, rows)
    save_json(options.json, "default_study", {"rows": rows})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
