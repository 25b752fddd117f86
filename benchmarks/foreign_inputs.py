"""Sweeps of other tools with a known truth: what the report says of each, and whether it is right.

    python benchmarks/foreign_inputs.py [NAME ...]

writes each input into a temporary folder, runs the report on it with the options that a user gives
after its questions, and prints truth, answer and verdict; with --markdown also as a table beside
what an older checkout answered (--before CHECKOUT, recorded in foreign_inputs.json).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foreign.all_cases import CASES
from foreign.answer import Answer, ask_checkout, ask_report, summarize
from foreign.case import Case, Truth
from foreign.verdict import VERDICTS, WRONG, judge
from reporting import benchmark_parser, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.common.errors import InputError

BEFORE = Path(__file__).with_suffix(".json")
"""What an older checkout answered: its commit, and a line and a verdict for each input."""

MARKDOWN = Path(__file__).with_suffix(".md")


@dataclass(frozen=True)
class Row:
    """One input with its answer."""

    case: Case
    truth: Truth
    said: str
    verdict: str
    fault: str

    @property
    def judged(self) -> str:
        """The verdict, with what is wrong."""
        return f"{self.verdict}: {self.fault}" if self.fault else self.verdict


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; exits with 1 if an answer is wrong."""
    return exit_status(lambda: _run(_parse(arguments)))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="inputs (default: all)")
    parser.add_argument(
        "--before", type=Path, metavar="CHECKOUT", help="record the answers of this checkout"
    )
    parser.add_argument("--markdown", action="store_true", help=f"write {MARKDOWN.name}")
    parser.add_argument("--full", action="store_true", help="print all that the report printed")
    return parser.parse(arguments)


def _run(options: argparse.Namespace) -> int:
    names = [name.replace("_", " ") for name in options.names]
    if unknown := set(names) - {case.name for case in CASES}:
        raise InputError(f"no input named {', '.join(sorted(unknown))}")
    rows = [
        _ask(case, options.before, options.full)
        for case in CASES
        if not names or case.name in names
    ]
    counts = Counter(row.verdict for row in rows)
    columns = ("input", "truth", "answer", "verdict")
    print_table(
        f"{len(rows)} inputs", columns, [(r.case.name, r.truth, r.said, r.judged) for r in rows]
    )
    print("; ".join(f"{verdict}: {counts[verdict]}" for verdict in VERDICTS))
    results = {r.case.name: {"answer": r.said, "verdict": r.judged} for r in rows}
    save_json(options.json, "foreign_inputs", {"rows": results})
    if options.before:
        _record(options.before, results)
    elif options.markdown:
        MARKDOWN.write_text(_format_markdown(rows))
    return 1 if counts[WRONG] else 0


def _ask(case: Case, checkout: Path | None, full: bool) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        path, truth = case.write(Path(folder))
        answer = (
            ask_checkout(checkout, path, case.old_options)
            if checkout
            else ask_report(path, case.options)
        )
    verdict, fault = judge(answer, truth)
    row = Row(case, truth, summarize(answer), verdict, fault)
    print(f"{case.name}: {row.judged}", file=sys.stderr, flush=True)
    if full:
        _print_in_full(case, truth, answer)
    return row


def _print_in_full(case: Case, truth: Truth, answer: Answer) -> None:
    print(f"\n=== {case.name}: {case.about} {' '.join(case.options)}")
    print(f"truth: {truth}\n{answer.stdout}{answer.stderr}")


def _record(checkout: Path, results: dict[str, dict[str, str]]) -> None:
    """Adds the answers of an older checkout to `BEFORE`."""
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    stored = json.loads(BEFORE.read_text())["answers"] if BEFORE.exists() else {}
    answers = {
        case.name: (stored | results)[case.name]
        for case in CASES
        if case.name in (stored | results)
    }
    BEFORE.write_text(f"{json.dumps({'commit': commit, 'answers': answers}, indent=1)}\n")


def _format_markdown(rows: Sequence[Row]) -> str:
    """The table of all inputs: truth, before, now."""
    before = json.loads(BEFORE.read_text())
    answers = before["answers"]
    old = Counter(answers[r.case.name]["verdict"].split(":")[0] for r in rows)
    new = Counter(r.verdict for r in rows)
    lines = [
        "# Sweeps of other tools with a known truth",
        "",
        f"{len(rows)} inputs, written by `python benchmarks/foreign_inputs.py --markdown`. "
        f"*Before* is commit {before['commit'][:7]} with the options that it had. Shares are in "
        "percent of the metric's variance, with intervals of 95 %.",
        "",
        "| verdict | before | now |",
        "|---|---|---|",
        *(f"| {verdict} | {old[verdict]} | {new[verdict]} |" for verdict in VERDICTS),
        "",
        "| input | truth | before | now |",
        "|---|---|---|---|",
    ]
    for row in rows:
        was = answers[row.case.name]
        options = f" `{' '.join(row.case.options)}`" if row.case.options else ""
        cells = (
            f"**{row.case.name}**: {row.case.about}{options}",
            str(row.truth),
            f"*{was['verdict']}*: {was['answer']}",
            f"*{row.judged}*: {row.said}",
        )
        lines.append(f"| {' | '.join(_escape(cell) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    """A cell's text: markup of names is not to be interpreted."""
    plain = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return plain.replace(os.sep + "tmp", "")


if __name__ == "__main__":
    sys.exit(main())
