"""Does looking at a study again and again cost coverage, and how many trials does it save?

    python benchmarks/until_sure.py --half reported --studies 20 --processes 2 --json looks.json
    python benchmarks/until_sure.py --from looks.json

Simulated studies with known truth are ranked at each size at which `--until-sure` looks, up to 128
explored trials, by the code of the report. Each rule then stops each study where it would have
stopped, and the 95 % intervals of that look are compared with the truth. The rule was chosen on the
"tuned" half of the objectives and is reported on the other, with seeds of its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from reporting import (
    ONE_THREAD,
    benchmark_parser,
    list_names,
    positive,
    print_table,
    require_objectives,
    save_json,
)
from simulated.looks import FIXED, LAZY_MARGIN, Look, SimulatedLooks, look_at_study, stop_at
from simulated.objective import FloatArray, Half
from simulated.objectives import find_objective, list_objectives

from nerf.common.command_line import exit_status
from study.spec.stopping_rule import list_looks

BoolArray = NDArray[np.bool_]

MARGINS = (0.1, 0.125, 0.15, 0.2)  # none below `LAZY_MARGIN`
COLUMNS = (
    "rule", "studies", "settled", "median trials", "the same, of those narrow at 128",
    "top shares cover", "all shares cover", "at 128: top", "all",
)  # fmt: skip


def simulate(options: argparse.Namespace) -> list[SimulatedLooks]:
    names = [
        o.name
        for o in list_objectives()
        if o.name in options.objectives and options.half in (None, o.half) and not o.foreign
    ]
    studies: list[SimulatedLooks] = []
    settings = {k: str(v) for k, v in vars(options).items() if k not in ("json", "saved")}
    os.environ.update(ONE_THREAD)  # spawned processes load their own BLAS, which reads them once
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for name in names:
            began = time.perf_counter()
            tasks = [(name, options.first + i, i >= options.full) for i in range(options.studies)]
            studies += pool.imap(look_at_study, tasks)
            seconds = time.perf_counter() - began
            print(f"{name}: {options.studies} studies in {seconds:.0f} s", flush=True)
            documents = [asdict(study) for study in studies]
            save_json(options.json, "until_sure", {"options": settings, "studies": documents})
    return studies


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    add = parser.add_argument
    names = [o.name for o in list_objectives() if not o.foreign]
    add(
        "--studies",
        type=positive,
        metavar="N",
        default=20,
        help="studies of each objective (default: 20)",
    )
    add(
        "--full",
        type=int,
        metavar="N",
        default=0,
        help="how many of these look on to the end, for what a fixed number of trials tells; the "
        "others stop once the highest shares are known to 0.1 (default: 0)",
    )
    add("--first", type=int, metavar="I", default=0, help="index of the first one (default: 0)")
    add(
        "--objectives",
        nargs="+",
        metavar="NAME",
        default=names,
        help=f"objectives to use (default: all of {list_names(names)})",
    )
    add("--half", choices=get_args(Half), help="only one half of the objectives (default: both)")
    add("--processes", type=positive, metavar="N", default=1, help="processes at once (default: 1)")
    add("--from", dest="saved", type=Path, nargs="+", metavar="FILE", help="read looks from --json")
    options = parser.parse(arguments)
    require_objectives(options.objectives, names)
    return options


def print_stops(studies: Sequence[SimulatedLooks]) -> None:
    """How many trials each rule takes, and how often its intervals hold the truth."""
    rows = []
    for margin in MARGINS:
        meets = [[look.is_narrow(margin) for look in s.looks] for s in studies]
        rows.append(_row(f"sure {margin:g}", studies, meets))
    full = _select_full(studies)
    rows.append(_row("order", full, [[look.is_ordered for look in s.looks] for s in full]))
    for name in dict.fromkeys(s.objective for s in studies):
        own = [s for s in studies if s.objective == name]
        meets = [[look.is_narrow(LAZY_MARGIN) for look in s.looks] for s in own]
        rows.append(_row(f"sure {LAZY_MARGIN:g}, {name}", own, meets))
    print_table("Where studies stop, and the intervals there", COLUMNS, rows)


def _row(
    rule: str, studies: Sequence[SimulatedLooks], meets: Sequence[Sequence[bool]]
) -> list[object]:
    stops = [stop_at(m, s.looks) for m, s in zip(meets, studies, strict=True)]
    narrow = [stop.look.trials for stop, m in zip(stops, meets, strict=True) if m[-1]]
    at_stop, at_end = [stop.look for stop in stops], [s.looks[-1] for s in _select_full(studies)]
    return [
        rule,
        len(studies),
        sum(stop.is_settled for stop in stops),
        float(np.median([look.trials for look in at_stop])) if stops else 0.0,
        f"{np.median(narrow):.0f} ({len(narrow)})" if narrow else "-",
        cover(at_stop, top_only=True),
        cover(at_stop, top_only=False),
        cover(at_end, top_only=True),
        cover(at_end, top_only=False),
    ]


def _select_full(studies: Sequence[SimulatedLooks]) -> list[SimulatedLooks]:
    """The studies that looked on to the end."""
    return [s for s in studies if s.looks[-1].trials == FIXED]


def cover(looks: Sequence[Look], top_only: bool) -> str:
    """The part of the intervals that holds the truth, of studies that rank their parameters."""
    held = [
        one.holds
        for look in looks
        if look.ranked
        for one in (look.top if top_only else look.intervals)
    ]
    return f"{100 * np.mean(held):.1f} % of {len(held)}" if held else "-"


def print_power(studies: Sequence[SimulatedLooks]) -> None:
    """What a fixed number of trials tells: the widths of intervals, and which shares show."""
    rows = []
    for place, trials in enumerate(list_looks(FIXED)):
        looks = [s.looks[place] for s in studies]
        ranked = [look for look in looks if look.ranked]
        intervals = [one for look in looks for one in look.intervals]
        widths = [max(one.half_width for one in look.top) for look in ranked]
        smallest = find_smallest_share(
            np.array([one.truth for one in intervals]),
            np.array(
                [look.ranked and one.is_significant for look in looks for one in look.intervals]
            ),
        )
        rows.append(
            [trials, len(ranked) / len(looks), float(np.median(widths)) if widths else 1.0,
             smallest, find_smallest_share(
                 np.array([one.truth for look in ranked for one in look.intervals]),
                 np.array([one.is_significant for look in ranked for one in look.intervals]))]
        )  # fmt: skip
    columns = ("explored", "ranked", "median of the widest half-width", "smallest share that shows",
               "of ranked studies")  # fmt: skip
    print_table("What so many explored trials tell", columns, rows)


def find_smallest_share(shares: FloatArray, shows: BoolArray) -> float:
    """The share at which 80 % are significant, by a logistic regression on its logarithm."""
    from scipy.optimize import minimize

    real = shares > 0.005
    x, y = np.log(shares[real]), shows[real]

    def loss(theta: FloatArray) -> float:
        z = theta[0] + theta[1] * x
        return float(np.sum(np.logaddexp(0.0, z) - y * z)) + 0.01 * float(theta @ theta)

    a, b = minimize(loss, np.array([3.0, 1.0])).x
    return float(min(np.exp((np.log(0.8 / 0.2) - a) / b), 1.0)) if b > 0 else 1.0


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    studies = _read(options.saved) if options.saved else simulate(options)
    for half in get_args(Half):
        of_half = [s for s in studies if find_objective(s.objective).half == half]
        if of_half:
            print(f"\n{half} half of the objectives:")
            print_stops(of_half)
            print_power(_select_full(of_half))
    if len({find_objective(s.objective).half for s in studies}) > 1:
        print("\nboth halves, studies whose trials all train:")
        print_power([s for s in _select_full(studies) if s.looks[-1].trained == FIXED])
    return 0


def _read(files: Sequence[Path]) -> list[SimulatedLooks]:
    """The studies in files of --json."""
    documents = [json.loads(file.read_text()) for file in files]
    return [SimulatedLooks.from_json(study) for data in documents for study in data["studies"]]


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
