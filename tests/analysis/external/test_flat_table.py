"""Tables of all kinds as sweeps: encodings, separators, cells, states, histories, damage."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from analysis.external.flat_table import read_table
from analysis.external.sweep import Sweep
from nerf.common.errors import InputError

PLAIN = "Name,State,lr,optimizer,val/acc\na,finished,0.1,sgd,0.5\nb,crashed,0.01,adam,\n"


def read(tmp_path: Path, content: str | bytes, name: str = "runs.csv") -> Sweep:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (sweep,) = read_table(path)
    return sweep


def settings(sweep: Sweep, name: str) -> list[object]:
    return [trial.settings.get(name) for trial in sweep.trials]


def metrics(sweep: Sweep, name: str) -> list[float | None]:
    return [trial.metrics.get(name) for trial in sweep.trials]


def table(*rows: str) -> str:
    return "lr,acc\n" + "".join(f"{row}\n" for row in rows)


def test_a_table_of_wandb_gives_trials_with_states_settings_and_metrics(tmp_path: Path) -> None:
    sweep = read(tmp_path, PLAIN)
    first, second = sweep.trials
    assert sweep.tool == "W&B"
    assert (first.name, first.state, second.state, second.reason) == (
        "a", "completed", "failed", "crashed",
    )  # fmt: skip
    assert first.settings == {"lr": 0.1, "optimizer": "sgd"}
    assert (first.metrics, second.metrics) == ({"val/acc": 0.5}, {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encodings_give_the_same_table(tmp_path: Path, encoding: str, newline: str) -> None:
    text = "größe;acc\n1;0.5\n2;0.25\n".replace("\n", newline)
    sweep = read(tmp_path, text.encode(encoding))
    assert settings(sweep, "größe") == [1, 2]
    assert metrics(sweep, "acc") == [0.5, 0.25]
    if encoding == "latin-1":
        assert "read as Latin-1, since it is not UTF-8" in sweep.notes


@pytest.mark.parametrize(
    ("separator", "word"), [("\t", "tabs"), (";", "semicolons"), ("|", "bars")]
)
def test_separators_are_recognised_and_named(tmp_path: Path, separator: str, word: str) -> None:
    sweep = read(tmp_path, PLAIN.replace(",", separator))
    assert settings(sweep, "lr") == [0.1, 0.01]
    assert f"its columns are separated by {word}" in sweep.notes


def test_a_tab_in_a_tsv_is_plain(tmp_path: Path) -> None:
    sweep = read(tmp_path, PLAIN.replace(",", "\t"), "runs.tsv")
    assert not [note for note in sweep.notes if "separated" in note]


def test_decimal_commas_beside_semicolons_are_read_and_named(tmp_path: Path) -> None:
    sweep = read(tmp_path, "lr;acc\n0,1;61,5\n1e-2;1,234\n")
    assert settings(sweep, "lr") == [0.1, 0.01]
    assert metrics(sweep, "acc") == [61.5, 1.234]
    assert "a comma is its decimal point" in sweep.notes


def test_quoted_newlines_and_separators_belong_to_their_cell(tmp_path: Path) -> None:
    sweep = read(tmp_path, 'mode,acc\n"a,\nb",0.5\nc,0.25\n')
    assert settings(sweep, "mode") == ["a,\nb", "c"]


def test_rows_of_another_length_are_left_out_and_counted(tmp_path: Path) -> None:
    sweep = read(tmp_path, table("0.1,0.5", "0.2,0.6,0.7", "0.3,0.7", "0.4"))
    assert settings(sweep, "lr") == [0.1, 0.3]
    assert "1 row with fewer cells than the heading's 2" in sweep.left_out
    assert "1 row with more cells than the heading's 2" in sweep.left_out


def test_a_second_heading_is_no_run(tmp_path: Path) -> None:
    rows = "0.1,0.5\n0.2,0.6\n0.3,0.7\n"
    units = read(tmp_path, f"lr,acc\n1/s,%\n{rows}")
    assert metrics(units, "acc") == [0.5, 0.6, 0.7]
    assert "a second row of headings (1/s, %)" in units.left_out
    others = rows.replace("0.", "0.1")
    twice = read(tmp_path, f"lr,acc\n{rows}lr,acc\n{others}")
    assert metrics(twice, "acc") == [0.5, 0.6, 0.7, 0.15, 0.16, 0.17]
    assert "1 row that repeats the heading" in twice.left_out
    levels = read(tmp_path, f"net,net\nlr,acc\n{rows}")
    assert metrics(levels, "net acc") == [0.5, 0.6, 0.7]
    crashed = read(tmp_path, f"lr,acc\n0.4,nothing\n{rows}")
    assert len(crashed.trials) == 4


def test_columns_of_one_name_are_told_apart_and_named(tmp_path: Path) -> None:
    sweep = read(tmp_path, "lr,lr,acc\n1,2,3\n2,3,4\n")
    assert settings(sweep, "lr (2)") == [2, 3]
    assert any("2 columns are named lr" in note for note in sweep.notes)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("lr,acc\n", "a heading but no rows"),
        ("lr\n1\n2\n", "a single column"),
        ("lr,acc\n1,2,3\n2,3,4\n", "heading has 2 cells, and its first row 3"),
        ('lr,acc\n1,2\n"2,3\n4,5\n', "quote .* in line 3 is never closed"),
        (b"\x00\x01\x02\x00\xff" * 50, "is binary"),
        (b"PAR1garbagePAR1", "damaged Parquet file"),
        ("[1, 2]", "no list of records"),
        ("[" * 100_000, "too deeply"),
        ('{"lr": 1', "is not JSON"),
        ("Step,run - acc,run - acc__MIN\n1,2,3\n2,3,4\n", "W&B chart"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    with pytest.raises(InputError, match=reason) as error:
        read(tmp_path, content)
    assert "\n" not in str(error.value)


def test_percentages_are_numbers_and_named(tmp_path: Path) -> None:
    sweep = read(tmp_path, table("1,61.46%", "2,5 %", "3,NaN"))
    assert metrics(sweep, "acc")[:2] == [61.46, 5]
    assert math.isnan(sweep.trials[2].metrics["acc"])
    assert any(note.startswith("acc: percentages") for note in sweep.notes)


@pytest.mark.parametrize("cell", ["", "-", "N/A", "None", "null"])
def test_a_missing_metric_is_absent(tmp_path: Path, cell: str) -> None:
    sweep = read(tmp_path, table("1,0.5", f"2,{cell}"))
    assert metrics(sweep, "acc") == [0.5, None]
    assert sweep.trials[1].state == "completed"


def test_words_in_a_metric_are_absent_and_counted(tmp_path: Path) -> None:
    sweep = read(tmp_path, table("1,0.5", "2,diverged", "3,inf", "4,0.25"))
    assert metrics(sweep, "acc") == [0.5, None, math.inf, 0.25]
    assert "acc: 1 cell that held no number (diverged)" in sweep.left_out


def test_missing_settings_are_absent_and_none_is_a_value(tmp_path: Path) -> None:
    sweep = read(tmp_path, "lr,clip,acc\n,None,1\nnan,0.5,2\n0.1,,3\n")
    assert [dict(trial.settings) for trial in sweep.trials] == [
        {"clip": None}, {"clip": 0.5}, {"lr": 0.1},
    ]  # fmt: skip


def test_thousands_are_read_where_they_cannot_be_decimals(tmp_path: Path) -> None:
    sure = read(tmp_path, 'width,acc\n"1,234,567",1\n"1,234",2\n')
    assert settings(sure, "width") == [1234567, 1234]
    unsure = read(tmp_path, 'width,acc\n"1,234",1\n"2,345",2\n')
    assert settings(unsure, "width") == [1234, 2345]
    assert "width: commas group thousands, so that 1,234 is 1234" in unsure.notes


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("1.234.567,8", "24,5"), [1234567.8, 24.5]),
        (("24.405", "1.250"), [24405, 1250]),
        (("24.405", "0.250"), [24.405, 0.25]),
        (("12 345,5", "1\u00a0000"), [12345.5, 1000]),
        (("12'345", "999"), [12345, 999]),
    ],
)
def test_thousands_in_a_table_of_decimal_commas(
    tmp_path: Path, cells: tuple[str, str], numbers: list[float]
) -> None:
    sweep = read(tmp_path, f"width;acc\n{cells[0]};0,5\n{cells[1]};0,25\n")
    assert settings(sweep, "width") == numbers
    assert metrics(sweep, "acc") == [0.5, 0.25]
    grouped = numbers != [24.405, 0.25]
    assert any("group thousands" in note for note in sweep.notes) == grouped


def test_percentages_beside_fractions_are_fractions(tmp_path: Path) -> None:
    sweep = read(tmp_path, table("1,61%", "2,0.5", "3,nan"))
    assert metrics(sweep, "acc")[:2] == [0.61, 0.5]
    assert "acc: percentages beside fractions, all read as fractions of 1" in sweep.notes


def test_a_metric_with_words_in_some_cells_stays_the_metric(tmp_path: Path) -> None:
    rows = [f"0.{i},{'OOM' if i % 9 == 0 else 0.5 + i / 1000}" for i in range(100, 140)]
    sweep = read(tmp_path, table(*rows))
    assert sum(value is None for value in metrics(sweep, "acc")) == 4
    assert "acc: 4 cells that held no number (OOM)" in sweep.left_out
    assert not [note for note in sweep.notes if "read as text" in note]


def test_a_single_word_among_numbers_is_missing_and_named(tmp_path: Path) -> None:
    rows = [f"{'?' if i == 7 else 0.1 + i},{i}.5" for i in range(30)]
    sweep = read(tmp_path, table(*rows))
    assert settings(sweep, "lr")[6:9] == [6.1, None, 8.1]
    assert "lr: '?' in row 8 is no number, and is read as missing" in sweep.notes


def test_booleans_are_no_text(tmp_path: Path) -> None:
    assert settings(read(tmp_path, "amp,acc\nTrue,1\nfalse,2\n"), "amp") == [True, False]


def test_a_state_that_is_no_state_of_a_run_is_a_setting(tmp_path: Path) -> None:
    sweep = read(
        tmp_path, "Name,State,state,seed,phase,acc\na,finished,on,1,x,1\nb,killed,off,2,y,2\n"
    )
    assert settings(sweep, "state") == ["on", "off"]
    assert settings(sweep, "phase") == ["x", "y"]
    assert [trial.state for trial in sweep.trials] == ["completed", "failed"]


def test_rows_that_are_steps_become_runs_with_curves(tmp_path: Path) -> None:
    rows = [
        f"{run},{epoch},{lr},{0.9**epoch * lr},{0.5 * lr}\n"
        for run, lr in (("a", 0.1), ("b", 0.2), ("c", 0.3))
        for epoch in range(5)
    ]
    sweep = read(tmp_path, "run,epoch,lr,x,final_value\n" + "".join(rows))
    assert [trial.name for trial in sweep.trials] == ["a", "b", "c"]
    assert settings(sweep, "lr") == [0.1, 0.2, 0.3]
    assert sweep.trials[1].curves["x"] == pytest.approx({e: 0.9**e * 0.2 for e in range(5)})
    assert metrics(sweep, "x") == pytest.approx([0.9**4 * lr for lr in (0.1, 0.2, 0.3)])
    assert "its rows are steps (epoch) of 3 runs (run)" in sweep.notes


def test_two_runs_of_one_name_stay_two(tmp_path: Path) -> None:
    sweep = read(tmp_path, "Name,epoch,lr,acc\na,9,0.1,1\na,8,0.2,2\nb,7,0.3,3\nb,6,0.1,4\n")
    assert len(sweep.trials) == 4


RECORDS = [
    {"name": "a", "state": "finished", "config": {"lr": 0.1, "net": {"width": 64}, "clip": None},
     "summary": {"val/acc": 0.5, "lr": 0.001, "_step": 9}},
    {"name": "b", "state": "crashed", "config": {"lr": {"value": 0.2, "desc": None}, "_wandb": {}},
     "summary": {}},
]  # fmt: skip


@pytest.mark.parametrize("form", ["list", "lines", "wrapped", "csv"])
def test_config_against_summary_declares_the_settings(tmp_path: Path, form: str) -> None:
    if form == "csv":  # as W&B's documentation exports runs: Python's own text of the objects
        path = tmp_path / "project.csv"
        pd.DataFrame(RECORDS).to_csv(path)
        (sweep,) = read_table(path)
    else:
        text = {
            "list": json.dumps(RECORDS, indent=1),
            "lines": "\n".join(map(json.dumps, RECORDS)),
            "wrapped": json.dumps({"runs": RECORDS}),
        }[form]
        sweep = read(tmp_path, text, "runs.json")
    assert not any(column.doubtful for column in sweep.columns)
    assert sweep.trials[0].settings == {"config.lr": 0.1, "net.width": 64, "clip": None}
    assert sweep.trials[1].settings == {"config.lr": 0.2}
    assert sweep.trials[0].metrics == {"val/acc": 0.5, "summary.lr": 0.001}
    assert [trial.state for trial in sweep.trials] == ["completed", "failed"]


def test_scores_of_scikit_learn_are_its_objectives(tmp_path: Path) -> None:
    rows = "0.1,\"{'C': 1}\",1,0.5,0.4,1\n0.1,\"{'C': 2}\",2,0.6,0.3,2\n"
    one = read(
        tmp_path, "mean_fit_time,params,param_C,mean_test_score,split0_test_score,x\n" + rows
    )
    assert [(o.name, o.direction) for o in one.objectives] == [("mean_test_score", "maximize")]
    assert settings(one, "C") == [1, 2]
    two = read(tmp_path, "mean_fit_time,params,param_C,mean_test_acc,mean_test_f1,x\n" + rows)
    assert [o.name for o in two.objectives] == ["mean_test_acc", "mean_test_f1"]


def test_an_object_of_runs_by_name(tmp_path: Path) -> None:
    sweep = read(tmp_path, '{"a": {"lr": 1, "acc": 2}, "b": {"lr": 2}}', "runs.json")
    assert [trial.name for trial in sweep.trials] == ["a", "b"]
    assert metrics(sweep, "acc") == [2, None]


def test_a_torn_last_line_is_left_out_and_counted(tmp_path: Path) -> None:
    text = "\n".join(json.dumps({"lr": i, "acc": i / 2}) for i in range(4))
    sweep = read(tmp_path, text[:-4], "runs.jsonl")
    assert len(sweep.trials) == 3
    assert "1 line without a JSON object" in sweep.left_out


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split"])
def test_json_as_pandas_writes_it(tmp_path: Path, orient: str) -> None:
    frame = pd.DataFrame({"lr": [0.1, 0.2, 0.3], "acc": [1.0, 2.0, None]})
    path = tmp_path / "runs.json"
    frame.to_json(path, orient=orient)  # type: ignore[call-overload]
    (sweep,) = read_table(path)
    assert settings(sweep, "lr") == [0.1, 0.2, 0.3]
    assert metrics(sweep, "acc") == [1.0, 2.0, None]


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"lr": [0.1, 0.2, None], "net": ["a", None, "b"], "acc": [1.0, 2.0, 3.0],
         "when": pd.date_range("2024-01-01", periods=3)}
    )  # fmt: skip
    frame.to_parquet(tmp_path / "runs.parquet")
    frame.to_csv(tmp_path / "runs.csv", index=False)
    ((a,), (b,)) = read_table(tmp_path / "runs.parquet"), read_table(tmp_path / "runs.csv")
    assert [t.settings for t in a.trials] == [t.settings for t in b.trials]
    assert [t.metrics for t in a.trials] == [t.metrics for t in b.trials]
    assert [c.role for c in a.columns] == ["setting", "setting", "outcome", "other"]


def test_an_ascii_locale_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "läufe.csv"
    path.write_text("größe,acc\n1,0.5\n2,0.25\n", encoding="utf-8")
    program = (
        "import sys; from pathlib import Path\n"
        "from analysis.external.flat_table import read_table\n"
        "(s,) = read_table(Path(sys.argv[1])); assert [*s.trials[0].settings] == ['gr\\xf6\\xdfe']"
    )
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, env=environment)


def damage(data: bytes, rng: random.Random) -> bytes:
    """Cut off, or with a few bytes replaced, doubled or removed."""
    changed = bytearray(data[: rng.randrange(1, len(data))] if rng.random() < 0.3 else data)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(changed) + 1)
        spice = rng.choice([b'"', b",", b"\n", b"\x00", b"\xff", b"{", b"]", b"NaN", b"1e999", b""])
        changed[place : place + rng.randrange(4)] = spice
    return bytes(changed)


@pytest.mark.parametrize("name", ["runs.csv", "runs.json", "runs.jsonl", "runs.parquet"])
def test_damage_gives_a_table_or_a_message(tmp_path: Path, name: str) -> None:
    pd.DataFrame({"lr": [0.1, 0.2] * 4, "acc": range(8)}).to_parquet(tmp_path / "p")
    original = {
        "runs.csv": (PLAIN * 3).encode(),
        "runs.json": json.dumps(RECORDS * 3).encode(),
        "runs.jsonl": "\n".join(map(json.dumps, RECORDS * 3)).encode(),
        "runs.parquet": (tmp_path / "p").read_bytes(),
    }[name]
    rng = random.Random(0)
    outcomes = set()
    for _ in range(400):
        try:
            sweep = read(tmp_path, damage(original, rng), name)
            str(sweep).encode()  # all of it can be printed
            outcomes.add("table")
        except InputError as error:
            outcomes.add("lines" if "\n" in str(error) else "message")
    assert outcomes == {"table", "message"}


def test_a_row_that_equals_an_earlier_one_in_every_column_is_dropped(tmp_path: Path) -> None:
    rows = [f"0.{i},0.{i}" for i in range(1, 9)]
    sweep = read(tmp_path, table(*rows, *rows[:3]))
    assert len(sweep.trials) == 8
    assert "3 rows equal to an earlier one in every column" in sweep.left_out


def test_comments_above_the_heading_are_skipped_and_counted(tmp_path: Path) -> None:
    sweep = read(tmp_path, "# my sweep\n# of May, 3 runs\n" + table("0.1,0.5", "0.2,0.6"))
    assert settings(sweep, "lr") == [0.1, 0.2]
    assert "2 lines of comments above the heading" in sweep.left_out
    assert settings(read(tmp_path, "# lr,acc\n1,2\n2,3\n"), "# lr") == [1, 2]


@pytest.mark.parametrize("place", [0, 12])
def test_rows_of_means_and_totals_are_no_runs(tmp_path: Path, place: int) -> None:
    rows = [f"0.{i},0.{i}" for i in range(11, 23)]
    rows.insert(place, "mean,0.15")
    sweep = read(tmp_path, table(*rows))
    assert len(sweep.trials) == 12
    assert settings(sweep, "lr")[0] == 0.11
    assert "1 row that sums up others (mean)" in sweep.left_out
    pools = [f"{('mean', 'max', 'sum')[i % 3]},0.{i}" for i in range(11, 23)]
    assert len(read(tmp_path, table(*pools)).trials) == 12


def test_numbers_with_one_unit_are_numbers_in_it(tmp_path: Path) -> None:
    sweep = read(tmp_path, "memory,width,acc\n8 GB,1k,1\n16 GB,512,2\n32 GB,2k,3\n")
    assert settings(sweep, "memory") == [8, 16, 32]
    assert settings(sweep, "width") == ["1k", "512", "2k"]
    assert "memory: in GB" in sweep.notes


def test_a_workbook_is_read_or_names_the_package_that_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "runs.xlsx"
    frame = pd.DataFrame({"lr": [0.1, 0.2], "acc": [1.0, 2.0]})
    if importlib.util.find_spec("openpyxl") is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("xl/workbook.xml", "")
        with pytest.raises(InputError, match="needs openpyxl"):
            read_table(path)
    else:
        frame.to_excel(path, index=False)
        (sweep,) = read_table(path)
        assert settings(sweep, "lr") == [0.1, 0.2]
