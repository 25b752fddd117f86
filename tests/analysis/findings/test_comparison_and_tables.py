"""Several studies side by side, and findings as tables."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from analysis import report
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import compare_studies, list_domains
from analysis.findings.tables import (
    IMPORTANCE_COLUMNS,
    build_importance_table,
    format_markdown_table,
    write_tables,
)
from nerf.common.errors import InputError
from nerf.config.parameters import Value
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]


def frequencies(values: Mapping[str, Value]) -> float:
    return 15.0 + 0.6 * int(values["encoding.position_frequencies"])


@pytest.fixture(scope="module")
def two(make_study: Make) -> list[Findings]:
    return [
        analyze_study(make_study("first", explore=40)),
        analyze_study(make_study("second", explore=40, objective=frequencies, seed=1)),
    ]


def test_studies_with_disjoint_intervals_disagree(two: list[Findings]) -> None:
    compared = compare_studies(two)
    by_path = {c.path: c for c in compared.parameters}
    near, frequency = by_path["sampling.near"], by_path["encoding.position_frequencies"]
    assert near.disagreeing == (("first", "second"),)
    assert frequency.disagreeing == (("first", "second"),)
    assert by_path["sampling.span"].disagreeing == ()
    for c in compared.parameters:
        assert set(c.shares) == {"first", "second"}
        assert c.pooled is not None
        assert c.pooled.low <= c.pooled.mean <= c.pooled.high
    assert compared.differences == ()


def test_ranges_that_differ_are_listed_with_the_names_of_their_studies(
    two: list[Findings],
) -> None:
    first, second = two
    dimensions = tuple(
        dataclasses.replace(d, high=8.5, relative=False) if d.path == "sampling.near" else d
        for d in second.study.space.dimensions
    )
    space = dataclasses.replace(second.study.space, dimensions=dimensions)
    other = dataclasses.replace(second, study=dataclasses.replace(second.study, space=space))
    (difference,) = list_domains([first, other])
    name, _, values = difference.partition(": ")
    assert name == "values of sampling.near"
    of_first, of_second = values.split("; ")
    assert of_first.startswith("first ")
    assert of_second.startswith("second ")
    assert ":8.5" in of_second


@pytest.mark.usefixtures("few_resamples")
def test_studies_of_the_same_name_or_without_a_common_parameter_are_refused(
    make_study: Make,
) -> None:
    same = analyze_study(make_study("twin", explore=10))
    with pytest.raises(InputError, match="two studies have the same name"):
        compare_studies([same, same])
    other = analyze_study(
        make_study("other", explore=10, vary=("field.width=32:64",), objective=lambda v: 20.0)
    )
    with pytest.raises(InputError, match="no parameter in common"):
        compare_studies([same, other])


def test_the_command_writes_a_comparison(
    two: list[Findings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    analysed = {findings.study.name: findings for findings in two}
    monkeypatch.setattr("analysis.api.open_study.analyze_study", lambda study: analysed[study.name])
    folders = [str(findings.study.folder.path) for findings in two]
    out = tmp_path / "both.html"
    assert report.main([*folders, "--out", str(out)]) == 0
    page = out.read_text()
    assert "Do the studies agree?" in page
    assert "first and second differ in the share of near: " in page
    assert "in one more of them between " in page
    printed = capsys.readouterr().out
    for name in ("first", "second"):
        assert f"--- {name}\nWhat matters: " in printed


def test_importance_table_flags_shares_within_chance(two: list[Findings]) -> None:
    table = build_importance_table(two[0])
    assert tuple(table.columns) == IMPORTANCE_COLUMNS
    assert (table["low"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["high"]).all()
    total = table[table["question"] == "psnr: variance, total"].set_index("parameter")
    assert total.loc["sampling.near", "flagged"] == ""
    assert total.loc["sampling.span", "flagged"] == "within chance"


def test_written_tables_are_read_back_equal(two: list[Findings], tmp_path: Path) -> None:
    files = {path.name: path for path in write_tables(two[0], "a headline", "csv", tmp_path)}
    back = pd.read_csv(files["importance.csv"], keep_default_na=False)
    pd.testing.assert_frame_equal(back, build_importance_table(two[0]), check_dtype=False)
    (single,) = write_tables(two[0], "a headline", "json", tmp_path)
    whole = json.loads(single.read_text())
    assert len(whole["trials"]) == len(two[0].study.trials)
    assert whole["headline"] == "a headline"
    (single,) = write_tables(two[0], "a headline", "md", tmp_path)
    assert "| sampling.near | psnr: variance, total |" in single.read_text()


@pytest.mark.parametrize("kind", ["csv", "md", "json"])
def test_no_file_is_empty_and_no_cell_is_a_python_object(
    kind: str, replicated_findings: Findings, tmp_path: Path
) -> None:
    earlier = tmp_path / "tuning.csv"  # for which the last call has no row
    earlier.write_text("parameter\n")
    findings = dataclasses.replace(replicated_findings, tunability=None)
    for each in (replicated_findings, findings):
        for path in write_tables(each, "", kind, tmp_path):  # type: ignore[arg-type]
            text = path.read_text()
            assert len(text) > 1
            assert "('" not in text
            assert "{'" not in text
    assert earlier.exists() is (kind != "csv")


def test_numbers_stand_right_in_markdown() -> None:
    table = pd.DataFrame({"name": ["a|b", None], "value": [0.123456, float("nan")]})
    text = format_markdown_table(table, align_numbers=True)
    assert text.splitlines()[1:] == ["| --- | ---: |", "| a\\|b | 0.1235 |", "| – | – |"]
