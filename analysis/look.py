"""Is what a study explores for settled by the trials that have ended?

    python analysis/look.py studies/mine

Of a study with `--until` or `--until-sure`; `run_sweep.py` calls it after each batch, with --json.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from analysis.data.study import Study, load_study
from analysis.findings.rank_parameters import rank_parameters
from analysis.findings.settle import judge
from analysis.stats.threads import single_threaded
from nerf.common.command_line import Parser, exit_status
from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder
from study.spec.stopping_rule import StoppingRule, list_looks


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0, or 2 for an error."""
    return exit_status(lambda: _run(_parse(arguments)))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(__doc__ or "")
    parser.add_argument("study", type=Path, metavar="STUDY", help="a study folder")
    parser.add_argument("--json", action="store_true", help="print the look as JSON")
    return parser.parse(arguments)


def _run(options: argparse.Namespace) -> int:
    folder = StudyFolder(options.study)
    study = load_study(folder)
    if "until" not in study.spec:
        raise InputError(
            f"study {study.name} explores a fixed number of trials; --until or --until-sure of "
            "run_sweep.py has it look"
        )
    look = take_look(study)
    if options.json:
        print(json.dumps(look))
        return 0
    word = "settled" if look["is_settled"] else "not settled"
    print(f"{word} after {look['trials']} explored trials: {look['text']}")
    return 0


def take_look(study: Study) -> dict[str, Any]:
    """What study.json records of a look at a study."""
    rule = StoppingRule.parse(str(study.spec["until"]))
    explored = int((study.trials["phase"] == "explore").sum())
    looks = len(list_looks(int(study.spec["max_explore"])))
    with single_threaded():
        ranking = rank_parameters(study)
    verdict = judge(rule, ranking.importance, ranking.breaking, looks)
    return {"trials": explored, "is_settled": verdict.is_settled, "text": verdict.text}


if __name__ == "__main__":
    sys.exit(main())
