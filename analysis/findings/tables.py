"""Findings as tables and as pictures for a paper: CSV, Markdown, JSON; SVG or PNG."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from analysis.findings.analyze_study import Findings
from nerf.common.files import write_atomically

TableFormat = Literal["csv", "md", "json"]

IMPORTANCE_COLUMNS = ("parameter", "question", "estimate", "low", "high", "null", "n", "flagged")
"""`flagged`: why the estimate must not be relied on, empty where it may."""


def build_tables(found: Findings) -> dict[str, pd.DataFrame]:
    """Every table of a report by its name."""
    return {
        "importance": build_importance_table(found),
        "pairs": _records(found.importance.pairs),
        "signals": _records(found.permutation_tests),
        "seeds": _records(found.seeds.parts),
        "collapse": _collapse_table(found),
        "collapse_pairs": _collapse_pair_table(found),
        "effects": _effect_table(found),
        "tuning": _records(found.tunability.single if found.tunability else ()),
        "trials": found.study.trials,
    }


def build_importance_table(found: Findings) -> pd.DataFrame:
    """A row for each parameter and question, with `IMPORTANCE_COLUMNS`."""
    rows: list[tuple[object, ...]] = []
    for question, importance in (
        ("psnr", found.importance),
        ("collapse", found.collapse.sobol.importance),
    ):
        n = importance.trials
        for s in importance.shares:
            flag = importance.refusal or ("" if s.significant else "within chance")
            whole = (s.total, s.total_low, s.total_high, s.null)
            rows.append((s.path, f"{question}: variance, alone", s.first, s.first_low, s.first_high,
                         s.null, n, flag))  # fmt: skip
            rows.append((s.path, f"{question}: variance, total", *whole, n, flag))
    for t in found.ped_anova.shares:
        flag = found.ped_anova.refusal or ("" if t.significant else "within chance")
        question = f"psnr: reaching the best {found.ped_anova.top_count}"
        rows.append((t.path, question, t.share, t.low, t.high, t.null, found.ped_anova.trials, flag))
    return pd.DataFrame(rows, columns=list(IMPORTANCE_COLUMNS))


def write_tables(found: Findings, kind: TableFormat, folder: Path) -> list[Path]:
    """Writes the tables into `folder` and returns the files: one each as CSV, else all in one."""
    every = build_tables(found)
    if kind == "csv":
        files = {folder / f"{name}.csv": table.to_csv(index=False) for name, table in every.items()}
    elif kind == "json":
        plain = {
            name: json.loads(t.to_json(orient="records", date_format="iso"))
            for name, t in every.items()
        }
        text = {"headline": found.headline, "used": found.comparable.sentence(), **plain}
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
    parts = [f"# {_cell(found.study.name)}", found.headline, found.comparable.sentence()]
    for name, table in every.items():
        if name != "trials" and len(table):
            parts += [f"## {name}", format_markdown_table(table)]
    return "\n\n".join(parts) + "\n"


def format_markdown_table(table: pd.DataFrame) -> str:
    """A Markdown table; numbers to four significant digits, nothing that is read as markup."""
    lines = [list(map(_cell, table.columns)), ["---"] * table.shape[1]]
    lines += [list(map(_cell, row)) for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
