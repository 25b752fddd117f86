"""Captures with a known truth: what is read from each, and whether it is right.

    python benchmarks/captures.py [NAME ...]

writes each capture into a temporary folder, reads it as nerf/train.py does, and prints truth,
answer and verdict: rays of every pixel of every picture in degrees, camera positions, split, masks,
values, bounds and background. Real captures are added where NERF_STUDY_DATA names their folder, and
published ones with --public FOLDER. With --markdown also as a table beside what an older checkout
made of them (--before CHECKOUT). Both are recorded in captures.json, so that some can be run again.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from capture.all_cases import CASES
from capture.case import Case, Truth
from capture.public import published_cases, real_cases
from capture.reading import Job, read
from capture.verdict import FAULTY, VERDICTS, Verdict, judge
from reporting import benchmark_parser, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.common.errors import InputError

CHECKOUT = Path(__file__).resolve().parents[1]
RECORD = Path(__file__).with_suffix(".json")
"""What was made of them before and now: of each the commit, the answer and the verdict."""

MARKDOWN = Path(__file__).with_suffix(".md")

AT_ONCE = 12
"""Captures read by one process, which takes seconds to start."""


Answer = dict[str, str]
Record = dict[str, dict[str, Answer]]


@dataclass(frozen=True)
class Row:
    """One capture with what was made of it."""

    case: Case
    truth: Truth
    said: str
    verdict: Verdict


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; exits with 1 if something is wrong."""
    return exit_status(lambda: _run(_parse(arguments)))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="captures (default: all)")
    parser.add_argument(
        "--before", type=Path, metavar="CHECKOUT", help="record what this checkout makes of them"
    )
    parser.add_argument(
        "--public", type=Path, metavar="FOLDER", help="clones of published captures, OWNER/NAME"
    )
    parser.add_argument("--markdown", action="store_true", help=f"write {MARKDOWN.name}")
    return parser.parse(arguments)


def _run(options: argparse.Namespace) -> int:
    real = real_cases() + (_published(options.public) if options.public else [])
    cases = [*CASES, *real]
    if unknown := set(options.names) - {case.name for case in cases}:
        raise InputError(f"no capture named {', '.join(sorted(unknown))}")
    checkout = (options.before or CHECKOUT).resolve()
    chosen = [case for case in cases if not options.names or case.name in options.names]
    rows: list[Row] = []
    for first in range(0, len(chosen), AT_ONCE):
        rows += _rows(chosen[first : first + AT_ONCE], checkout)
    counts = Counter(row.verdict.kind for row in rows)
    columns = ("capture", "truth", "answer", "verdict")
    cells = [(r.case.name, r.truth, r.said, r.verdict) for r in rows]
    print_table(f"{len(rows)} captures", columns, cells)
    print("; ".join(f"{verdict}: {counts[verdict]}" for verdict in VERDICTS))
    save_json(options.json, "captures", {"rows": {r.case.name: _recorded(r, "") for r in rows}})
    if options.before or options.markdown:
        commit = _commit(checkout)
        record = json.loads(RECORD.read_text()) if RECORD.exists() else {"before": {}, "now": {}}
        side = record["before" if options.before else "now"]
        side |= {row.case.name: _recorded(row, commit) for row in rows}
        RECORD.write_text(f"{json.dumps(record, indent=1)}\n")
        if not options.before:
            MARKDOWN.write_text(_format_markdown(cases, real, record))
    return 1 if any(counts[verdict] for verdict in FAULTY) else 0


def _published(clones: Path) -> list[Case]:
    """The published captures that the folder has; those missing are named with what to run."""
    cases, missing = published_cases(clones)
    for command in missing:
        print(f"missing: {command}", file=sys.stderr)
    return cases


def _rows(cases: Sequence[Case], checkout: Path) -> list[Row]:
    """Writes captures, reads them in one process and judges them."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        jobs, truths = [], []
        for index, case in enumerate(cases):
            place = Path(folder) / f"capture-{index}"
            place.mkdir()
            source, truth = case.write(place)
            jobs.append(Job(source, case.options, truth.stride))
            truths.append(truth)
        scenes = read(checkout, jobs, Path(folder))
        for case, truth, scene in zip(cases, truths, scenes, strict=True):
            verdict = judge(scene, truth)
            said = _shorten(verdict.said, str(jobs[len(rows)].source), folder)
            print(f"{case.name}: {verdict}", file=sys.stderr, flush=True)
            rows.append(Row(case, truth, said, verdict))
    return rows


def _shorten(said: str, source: str, scratch: str) -> str:
    """An answer without the paths of this machine."""
    for path in (source, str(Path(source).resolve())):
        said = said.replace(f"{path}/", "./").replace(path, Path(path).name)
    return re.sub(rf"{re.escape(scratch)}/capture-\d+/?", "./", said)


def _commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "rev-parse", "--short=7", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _recorded(row: Row, commit: str) -> Answer:
    return {
        "commit": commit,
        "truth": str(row.truth),
        "answer": row.said,
        "verdict": str(row.verdict),
    }


def _format_markdown(cases: Sequence[Case], real: Sequence[Case], record: Record) -> str:
    """Tables of all captures that were recorded: truth, before, now."""
    known = [c for c in cases if c.name in record["before"] and c.name in record["now"]]
    names = {case.name for case in real}
    made = [case for case in known if case.name not in names]
    taken = [case for case in known if case.name in names]
    before, now = (_commits(record[side].values()) for side in ("before", "now"))
    lines = [
        "# Captures with a known truth",
        "",
        "Written by `python benchmarks/captures.py --public FOLDER --markdown`. *Before* is commit "
        f"{before} with the options that it had, *now* is {now}. Rays are those of every pixel of "
        "every picture; bounds hold a share of the distances of all that the pictures show.",
        "",
        f"| verdict | {len(made)} generated, before | now | {len(taken)} real, before | now |",
        "|---|---|---|---|---|",
        *_counts((made, taken), record),
        "",
        "## Generated",
        "",
        *_table(made, record),
        "",
        "## Real",
        "",
        "Their truth is computed from their camera files in another way: by pycolmap's reader and "
        "lenses, or from the numbers of a transforms.json.",
        "",
        *_table(taken, record),
    ]
    return "\n".join(lines) + "\n"


def _commits(answers: Iterable[Answer]) -> str:
    return " and ".join(dict.fromkeys(answer["commit"] for answer in answers))


def _counts(groups: Sequence[Sequence[Case]], record: Record) -> list[str]:
    """A line for each verdict: how many captures of each group had it, and have it."""
    columns = [
        Counter(record[side][case.name]["verdict"].split(":")[0] for case in group)
        for group in groups
        for side in ("before", "now")
    ]
    return [f"| {v} | {' | '.join(str(column[v]) for column in columns)} |" for v in VERDICTS]


def _table(cases: Sequence[Case], record: Record) -> list[str]:
    lines = ["| capture | truth | before | now |", "|---|---|---|---|"]
    for case in cases:
        was, now = (record[side][case.name] for side in ("before", "now"))
        options = f" `{case.command}`" * bool(case.options)
        cells = (
            f"**{case.name}**: {case.about}{options}",
            now["truth"],
            *(f"*{each['verdict']}*: {each['answer']}" for each in (was, now)),
        )
        lines.append(f"| {' | '.join(_escape(cell) for cell in cells)} |")
    return lines


def _escape(text: str) -> str:
    """A cell's text: markup of names is not to be interpreted."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("#", "\\#")


if __name__ == "__main__":
    sys.exit(main())
