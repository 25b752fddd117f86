"""Findings as tables and as pictures for a paper: CSV, Markdown, JSON; SVG or PNG."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from analysis.findings.study_findings import Findings
from nerf.common.files import write_atomically

Format = Literal["csv", "md", "json"]

IMPORTANCE_COLUMNS = ("parameter", "question", "estimate", "low", "high", "null", "n", "flagged")
"""`flagged`: why the estimate must not be relied on, empty where it may."""


def tables(found: Findings) -> dict[str, pd.DataFrame]:
    """Every table of a report by its name."""
    return {
        "importance": importance_table(found),
        "pairs": _records(found.importance.pairs),
        "signals": _records(found.signals),
        "seeds": _records(found.seeds.parts),
        "collapse": _collapse_table(found),
        "collapse_pairs": _collapse_pair_table(found),
        "effects": _effect_table(found),
        "tuning": _records(found.tuning.alone if found.tuning else ()),
        "trials": found.study.trials,
    }


def importance_table(found: Findings) -> pd.DataFrame:
    """A row for each parameter and question, with `IMPORTANCE_COLUMNS`."""
    rows: list[tuple[object, ...]] = []
    for question, importance in (
        ("psnr", found.importance),
        ("collapse", found.collapse.attribution.importance),
    ):
        n = importance.trials
        for s in importance.shares:
            flag = importance.refusal or ("" if s.beyond_chance else "within chance")
            whole = (s.total, s.total_low, s.total_high, s.null)
            rows.append((s.path, f"{question}: variance, alone", s.first, s.first_low, s.first_high,
                         s.null, n, flag))  # fmt: skip
            rows.append((s.path, f"{question}: variance, total", *whole, n, flag))
    for t in found.top.shares:
        flag = found.top.refusal or ("" if t.beyond_chance else "within chance")
        question = f"psnr: reaching the best {found.top.top}"
        rows.append((t.path, question, t.share, t.low, t.high, t.null, found.top.trials, flag))
    return pd.DataFrame(rows, columns=list(IMPORTANCE_COLUMNS))


def write_tables(found: Findings, kind: Format, folder: Path) -> list[Path]:
    """Writes the tables into `folder` and returns the files: one each as CSV, else all in one."""
    every = tables(found)
    if kind == "csv":
        files = {folder / f"{name}.csv": table.to_csv(index=False) for name, table in every.items()}
    elif kind == "json":
        plain = {
            name: json.loads(t.to_json(orient="records", date_format="iso"))
            for name, t in every.items()
        }
        text = {"headline": found.headline, "used": found.used.sentence(), **plain}
        files = {folder / "analysis.json": json.dumps(text, indent=1)}
    else:
        files = {folder / "analysis.md": _markdown(found, every)}
    for path, content in files.items():
        write_atomically(path, content.encode())
    return list(files)


def _records(rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame([dataclasses.asdict(row) for row in rows])  # type: ignore[call-overload]


def _collapse_table(found: Findings) -> pd.DataFrame:
    rows = [
        {"parameter": breaking.path, **dataclasses.asdict(rate), "p_value": breaking.p_value}
        for breaking in found.collapse.parameters
        for rate in breaking.rates
    ]
    return pd.DataFrame(rows)


def _collapse_pair_table(found: Findings) -> pd.DataFrame:
    rows = [
        {"first": pair.paths[0], "second": pair.paths[1], **dataclasses.asdict(rate),
         "p_value": pair.p_value}
        for pair in found.collapse.pairs
        for row in pair.rates
        for rate in row
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _effect_table(found: Findings) -> pd.DataFrame:
    rows = [
        {"parameter": effect.path, "value": value, "mean": mean, "low": low, "high": high}
        for effect in found.effects
        if effect.curve is not None
        for value, mean, low, high in zip(
            effect.curve.values, effect.curve.mean, effect.curve.low, effect.curve.high, strict=True
        )
    ]
    return pd.DataFrame(rows)


def _markdown(found: Findings, every: dict[str, pd.DataFrame]) -> str:
    parts = [f"# {_cell(found.study.name)}", found.headline, found.used.sentence()]
    for name, table in every.items():
        if name != "trials" and len(table):
            parts += [f"## {name}", pipe_table(table)]
    return "\n\n".join(parts) + "\n"


def pipe_table(table: pd.DataFrame) -> str:
    """A Markdown table; numbers to four significant digits, nothing that is read as markup."""
    lines = [list(map(_cell, table.columns)), ["---"] * table.shape[1]]
    lines += [list(map(_cell, row)) for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
