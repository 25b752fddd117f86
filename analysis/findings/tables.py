"""Findings as tables in files: CSV, Markdown or JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from analysis.data.metric import PSNR
from analysis.findings.analyze_study import Findings
from analysis.findings.front import tabulate_front
from analysis.findings.partial_dependence import Effect
from analysis.findings.recorded_trials import tabulate_recorded_trials
from analysis.findings.variants import VariantComparison
from analysis.importance.ped_anova import PedAnovaShare
from analysis.importance.shares import NEGLIGIBLE_SHARE, Importance, SobolShare
from nerf.common.files import write_atomically

TableFormat = Literal["csv", "md", "json"]

IMPORTANCE_COLUMNS = ("parameter", "question", "estimate", "low", "high", "null", "n", "flagged")
"""`null`: the value that counts as none.

`flagged`: why the estimate must not be relied on; empty if it may be.
"""

WITHIN_CHANCE = "within chance"

_TABLES_OF_A_METRIC = ("variants", "importance", "pairs", "signals", "seeds", "effects", "tuning")

_TABLES_OF_OTHER_TOOLS = ("importance", "pairs", "signals", "effects")


def build_tables(findings: Findings) -> dict[str, pd.DataFrame]:
    """Every table of a report by its name, which is also its file's.

    A further metric's begin with its column: `train_seconds_importance`.
    """
    tables = _build_own_tables(findings)
    if findings.front is not None:
        tables = {"front": tabulate_front(findings.study, findings.front), **tables}
    for other in findings.other_metrics:
        own = _build_own_tables(other)
        column = other.study.metric.column
        tables |= {f"{column}_{name}": own[name] for name in own if name in _TABLES_OF_A_METRIC}
    return tables


def _build_own_tables(findings: Findings) -> dict[str, pd.DataFrame]:
    """The tables of the metric that the study is ranked by."""
    if findings.study.has_variants:  # nothing follows from explored trials
        variants = _build_variant_table(findings.variants)
        return {"variants": variants, "trials": findings.study.trials.drop(columns="score")}
    tables = {
        "importance": build_importance_table(findings),
        "pairs": _build_pair_table(findings.importance),
        "signals": _build_signal_table(findings),
        "seeds": _tabulate((part,) if (part := findings.seeds.part) else ()),
        "breaks": _build_breaking_table(findings),
        "breaks_pairs": _build_breaking_pair_table(findings),
        "effects": _build_effect_table(findings),
        "tuning": _build_tuning_table(findings),
        "trials": findings.study.trials.drop(columns="score"),
    }
    if findings.study.is_native:
        return tables
    recorded = {name: table for name, table in tables.items() if name in _TABLES_OF_OTHER_TOOLS}
    return recorded | {"trials": tabulate_recorded_trials(findings.study)}


def build_importance_table(findings: Findings) -> pd.DataFrame:
    """A row for each parameter and question, with `IMPORTANCE_COLUMNS`."""
    rows: list[tuple[object, ...]] = []
    study = findings.study
    name = study.metric.column if study.is_native else study.metric.name
    questions = {name: findings.importance}
    if findings.study.is_native:
        questions[f"{name} with failed runs"] = findings.with_failures
    for question, importance in questions.items():
        n = importance.trials
        for s in importance.shares:
            flag = importance.refusal or ("" if s.significant else WITHIN_CHANCE)
            alone = (s.alone, s.alone_low, s.alone_high, NEGLIGIBLE_SHARE)
            whole = (s.share, s.share_low, s.share_high, NEGLIGIBLE_SHARE)
            parameter = _name_parameter(findings, s)
            rows.append((parameter, f"{question}: variance, alone", *alone, n, flag))
            rows.append((parameter, f"{question}: variance, total", *whole, n, flag))
        for part in (importance.interactions, importance.unexplained):
            if part is not None:
                values = (part.share, part.low, part.high, NEGLIGIBLE_SHARE)
                of_part = f"{question}: variance, {part.name}"
                rows.append(("", of_part, *values, n, importance.refusal))
    for t in findings.ped_anova.shares:
        flag = findings.ped_anova.refusal or ("" if t.significant else WITHIN_CHANCE)
        question = f"{name}: reaching the best {findings.ped_anova.top_count}"
        parameter, n = _name_parameter(findings, t), findings.ped_anova.trials
        rows.append((parameter, question, t.share, t.low, t.high, t.null, n, flag))
    return pd.DataFrame(rows, columns=list(IMPORTANCE_COLUMNS))


def write_tables(findings: Findings, headline: str, kind: TableFormat, folder: Path) -> list[Path]:
    """Writes the tables into `folder` and returns the files: one each as CSV, else all in one.

    A table without a row has no CSV file; one that an earlier call left is removed.

    headline: sentences that stand before the tables in the formats that have room for them
    """
    named = build_tables(findings)
    if kind == "csv":
        files = {
            folder / f"{name}.csv": table.to_csv(index=False)
            for name, table in named.items()
            if len(table)
        }
        for name in named:
            if folder / f"{name}.csv" not in files:
                (folder / f"{name}.csv").unlink(missing_ok=True)
    elif kind == "json":
        plain = {
            name: json.loads(t.to_json(orient="records", date_format="iso"))
            for name, t in named.items()
        }
        text = {"headline": headline, "used": findings.comparable.sentence(), **plain}
        files = {folder / "analysis.json": json.dumps(text, indent=1)}
    else:
        files = {folder / "analysis.md": _format_markdown(findings, headline, named)}
    for path, content in files.items():
        write_atomically(path, content.encode())
    return list(files)


def _tabulate(rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame([dataclasses.asdict(row) for row in rows])  # type: ignore[call-overload]


def _name_parameter(findings: Findings, of: SobolShare | PedAnovaShare | Effect) -> str:
    """A parameter's path; in another tool's sweep, its name as recorded."""
    return of.path if findings.study.is_native else of.label


def _build_signal_table(findings: Findings) -> pd.DataFrame:
    """The permutation tests, with the rank correlation with the metric in place of the score."""
    metric = findings.study.metric
    rows = []
    for test in findings.permutation_tests:
        low, high = metric.interval(test.low, test.high)
        correlation = metric.values(test.correlation) + 0.0  # not -0.0
        rows.append(dataclasses.replace(test, correlation=correlation, low=low, high=high))
    return _tabulate(tuple(rows))


def _build_pair_table(importance: Importance) -> pd.DataFrame:
    """Interactions of two parameters, flagged like the other shares."""
    rows = [
        {
            "first": pair.paths[0],
            "second": pair.paths[1],
            "share": pair.share,
            "low": pair.low,
            "high": pair.high,
            "flagged": importance.refusal or ("" if pair.significant else WITHIN_CHANCE),
        }
        for pair in importance.pairs
    ]
    return pd.DataFrame(rows)


def _build_tuning_table(findings: Findings) -> pd.DataFrame:
    """The gain of each parameter alone; `values` as --set spells them."""
    gains = findings.tunability.single if findings.tunability else ()
    rows = [
        {
            "parameter": gain.label,
            "values": " ".join(f"{path}={value}" for path, value in gain.values.items()),
            "gain": gain.gain,
            "low": gain.low,
            "high": gain.high,
        }
        for gain in gains
    ]
    return pd.DataFrame(rows)


def _build_breaking_table(findings: Findings) -> pd.DataFrame:
    rows = [
        {"parameter": parameter.path, **dataclasses.asdict(rate), "p_value": parameter.p_value}
        for parameter in findings.breaking.parameters
        for rate in parameter.rates
    ]
    return pd.DataFrame(rows)


def _build_breaking_pair_table(findings: Findings) -> pd.DataFrame:
    rows = [
        {
            "first": pair.paths[0],
            "second": pair.paths[1],
            **dataclasses.asdict(rate),
            "p_value": pair.p_value,
        }
        for pair in findings.breaking.pairs
        for row in pair.rates
        for rate in row
    ]
    return pd.DataFrame(rows)


def _build_effect_table(findings: Findings) -> pd.DataFrame:
    rows = [
        {
            "parameter": _name_parameter(findings, effect),
            "value": value,
            "mean": mean,
            "low": low,
            "high": high,
            "verdict": verdict if c.matters else "no significant effect",
            "margin": c.margin,
        }
        for effect in findings.effects
        if effect.curve is not None and (c := effect.curve.in_metric(findings.study.metric))
        for value, mean, low, high, verdict in zip(
            c.values, c.mean, c.low, c.high, c.verdicts, strict=True
        )
    ]
    return pd.DataFrame(rows)


def _build_variant_table(comparison: VariantComparison | None) -> pd.DataFrame:
    """A row for each variant; `difference` is its paired one from the first, in dB."""
    if comparison is None:
        return pd.DataFrame()
    column = "psnr" if comparison.metric == PSNR else comparison.metric.name
    differences = {d.first: d for d in comparison.to_first}
    rows = []
    for name in comparison.runs:
        d = differences.get(name)  # None for the first variant
        low, high = (d and d.interval) or (None, None)
        rows.append(
            {
                "variant": name,
                "runs": comparison.runs[name],
                "collapsed": comparison.collapsed[name],
                "shows_nothing": comparison.shows_nothing[name],
                column: float(comparison.values[name].mean()),
                "difference": d and d.mean,
                "low": low,
                "high": high,
                "p_value": d and d.p_value,
                "holm_p_value": d and d.holm_p_value,
            }
        )
    return pd.DataFrame(rows)


def _format_markdown(findings: Findings, headline: str, named: dict[str, pd.DataFrame]) -> str:
    parts = [
        f"# {_format_cell(findings.study.title)}",
        headline,
        findings.comparable.sentence(),
    ]
    for name, table in named.items():
        if name != "trials" and len(table):
            parts += [f"## {name}", format_markdown_table(table, align_numbers=True)]
    return "\n\n".join(parts) + "\n"


def format_markdown_table(table: pd.DataFrame, align_numbers: bool = False) -> str:
    """A Markdown table: numbers to four significant digits, markup escaped.

    align_numbers: puts columns of numbers flush right
    """
    numeric = [align_numbers and pd.api.types.is_numeric_dtype(t) for t in table.dtypes]
    lines = [list(map(_format_cell, table.columns)), ["---:" if n else "---" for n in numeric]]
    lines += [list(map(_format_cell, row)) for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _format_cell(value: object) -> str:
    if value is None or value is pd.NA or value != value:
        return "–"
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
