"""Runs a report on an input and collects its answer."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 300.0
"""Seconds for one report."""


@dataclass(frozen=True)
class Answer:
    """What a report printed and claimed.

    status: exit status; -1 for a traceback
    claims: those of claims.json
    """

    status: int
    stdout: str
    stderr: str
    claims: tuple[dict[str, Any], ...] = ()

    @property
    def error(self) -> str:
        """The error's text, or the last line of a traceback; empty if there is none."""
        if self.status == -1:
            return self.stderr.strip().split("\n")[-1]
        return self.stderr.split("error: ", 1)[-1].strip() if self.status == 2 else ""

    @property
    def text(self) -> str:
        """All sentences, on the terminal and among the claims."""
        return "\n".join([self.stdout, *(claim["text"] for claim in self.claims)])

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The claims of one kind."""
        return [claim for claim in self.claims if claim["kind"] == kind]


def ask_report(path: Path, options: Sequence[str]) -> Answer:
    """The answer of `analysis.report` of this checkout, in this process."""
    from analysis.report import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([str(path), "--format", "json", *options])
        except SystemExit as exit_:
            status = exit_.code if isinstance(exit_.code, int) else 1
        except Exception:
            status = -1
            traceback.print_exc()
    return _collect(status, out.getvalue(), err.getvalue())


def ask_checkout(checkout: Path, path: Path, options: Sequence[str]) -> Answer:
    """The answer of the report of another checkout, in a process of its own."""
    command = [sys.executable, "analysis/report.py", str(path), "--format", "json", *options]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    try:
        ended = subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return Answer(-1, "", f"no answer within {TIMEOUT:.0f} s")
    status = -1 if "Traceback (most recent call last)" in ended.stderr else ended.returncode
    return _collect(status, ended.stdout, ended.stderr)


def _collect(status: int, out: str, err: str) -> Answer:
    files = [line for line in out.splitlines() if line.endswith("claims.json")]
    claims = json.loads(Path(files[-1]).read_text()) if status == 0 and files else []
    return Answer(status, out, err, tuple(claims))


def summarize(answer: Answer) -> str:
    """The answer in one line, for a table."""
    if answer.status == -1:
        return f"traceback: {shorten(answer.error)}"
    if answer.status:
        return f"refused: {shorten(answer.error)}"
    parts = [
        f"{', '.join(c['parameters'])} {100 * c['estimate']:.0f} "
        f"[{100 * c['low']:.0f}, {100 * c['high']:.0f}]"
        for c in answer.of_kind("share")
    ]
    if not parts:
        parts = [shorten(c["text"]) for c in answer.of_kind("not_ranked")]
        if moves := [", ".join(c["parameters"]) for c in answer.of_kind("moves")]:
            parts.append(f"effects: {', '.join(moves)}")
    parts += [f"best {c['estimate']:.4g}" for c in answer.of_kind("best_run")]
    parts += [
        f"{c['estimate']:.0f} {c['condition'].split(',')[0]}" for c in answer.of_kind("state")
    ]
    if count := len(re.findall(r"^  \d+\. ", answer.stdout, re.MULTILINE)):
        parts.append(f"{count} assumption{'s' * (count > 1)} listed")
    parts += describe_warnings(answer)
    return "; ".join(parts)


def describe_warnings(answer: Answer) -> list[str]:
    """What the report says of other readings of the record."""
    words = {
        "THE HEADLINE CHANGES": "the headline changes with the reading",
        "the headline stays": "the headline stays under the other reading",
        "could be either": "columns that could be either",
    }
    return [text for word, text in words.items() if word in answer.stdout]


def shorten(text: str, limit: int = 180) -> str:
    """A text in one line without the folder of its input, cut after `limit` characters."""
    line = re.sub(r"/\S*/", "", " ".join(text.split()))
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
