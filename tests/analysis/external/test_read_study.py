"""Another tool's sweep as a study: what is read, assumed, left out, and read the other way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import report
from analysis.claims.list_claims import list_claims, select_claims
from analysis.external.options import parse_prior
from analysis.external.question import Question
from analysis.external.read_study import read_external_study
from analysis.findings.analyze_study import analyze_study
from nerf.common.errors import InputError
from study.spec.space import Dimension

RUNS = 48


def write_table(path: Path, **columns: object) -> Path:
    """A table of runs whose accuracy follows the logarithm of lr; width has no effect."""
    rng = np.random.default_rng(0)
    rate, width = 10 ** rng.uniform(-4, -1, RUNS), rng.uniform(0, 1, RUNS)
    table = pd.DataFrame({"lr": rate, "width": width, "acc": np.log10(rate) + 5.0, **columns})
    table.to_csv(path, index=False)
    return path


def test_a_table_is_read_and_what_it_leaves_open_is_listed(tmp_path: Path) -> None:
    external = read_external_study(write_table(tmp_path / "runs.csv"))
    study = external.study
    assert [(d.path, d.log) for d in study.space.dimensions] == [("lr", True), ("width", False)]
    assert (study.metric.name, study.metric.minimize) == ("acc", False)
    assert study.trials["score"].equals(study.trials["score"].sort_index())
    assert not external.other_readings
    texts = [str(assumption) for assumption in study.assumed]
    assert len(texts) == 3
    assert texts[0] == "acc is the metric, the only one recorded"
    assert "--direction minimize" in texts[1]
    assert texts[2].startswith("lr uniform in its logarithm from ")
    assert analyze_study(study).importance.significant_shares[0].path == "lr"


def test_a_minimised_metric_scores_higher_where_it_is_lower(tmp_path: Path) -> None:
    loss = np.linspace(1.0, 2.0, RUNS)
    path = write_table(tmp_path / "runs.csv", val_loss=loss)
    study = read_external_study(path, Question(metric="val_loss")).study
    assert study.trials["score"].to_numpy() == pytest.approx(-loss)
    assert int(study.trials["score"].argmax()) == 0


def test_outcomes_are_settings_only_where_they_are_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = write_table(tmp_path / "runs.csv", train_loss=rng.random(RUNS))
    study = read_external_study(path, Question(metric="acc")).study
    assert [d.path for d in study.space.dimensions] == ["lr", "width"]
    assert any("train_loss" in str(assumption) for assumption in study.assumed)
    question = Question(metric="acc", parameters=("lr", "train_loss"))
    named = read_external_study(path, question).study
    assert [d.path for d in named.space.dimensions] == ["lr", "train_loss"]


def test_an_open_scale_has_another_reading_with_the_other_scale(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    few = pd.Series(np.exp(rng.uniform(np.log(2), np.log(6), RUNS)))
    external = read_external_study(write_table(tmp_path / "runs.csv", size=few))
    (place,) = external.other_readings
    assert external.study.assumed[place].text.startswith("size: uniform")
    readings = (external.study, external.other_readings[place])
    assert {d.log for s in readings for d in s.space.dimensions if d.path == "size"} == {
        True,
        False,
    }
    prior = Dimension("size", "float", 2.0, 6.0, True, label="size")
    settled = read_external_study(tmp_path / "runs.csv", Question(priors=(prior,)))
    assert not settled.other_readings


def test_runs_without_a_setting_or_outside_a_prior_are_counted(tmp_path: Path) -> None:
    path = write_table(tmp_path / "runs.csv")
    table = pd.read_csv(path)
    table.loc[:3, "width"] = np.nan
    table.to_csv(path, index=False)
    prior = Dimension("lr", "float", 1e-3, 1.0, True, label="lr")
    study = read_external_study(path, Question(priors=(prior,))).study
    outside = int((table["lr"][4:] < 1e-3).sum())
    assert len(study.trials) == RUNS - 4 - outside
    assert "4 trials without a value of some parameter" in study.left_out
    assert f"{outside} trials outside the range of some parameter" in study.left_out


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"acc": np.full(RUNS, np.nan)}, "no metric"),
        ({"lr": 1.0, "width": "a"}, "varies no parameter"),
        ({"val_loss": np.linspace(0.1, 0.9, RUNS)}, "choose one by --metric: acc, val_loss"),
    ],
)
def test_what_cannot_be_analysed_is_refused(
    tmp_path: Path, columns: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_external_study(write_table(tmp_path / "runs.csv", **columns))


def write_ray_folder(folder: Path, value: Callable[[float], float]) -> Path:
    rng = np.random.default_rng(3)
    for number in range(24):
        rate = float(10 ** rng.uniform(-4, -1))
        trial = folder / f"trial_{number}"
        trial.mkdir(parents=True)
        (trial / "params.json").write_text(json.dumps({"rate": rate}))
        line = json.dumps({"training_iteration": 1, "acc": value(rate)})
        (trial / "result.json").write_text(f"{line}\n")
    return folder


def test_folders_with_dots_in_their_names_get_reports_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [write_ray_folder(tmp_path / name, np.log10) for name in ("lr0.1", "lr0.3")]
    for folder in folders:
        assert report.main([str(folder), "--metric", "acc"]) == 0
    assert "Assumed, since lr0.3 does not say:" in capsys.readouterr().out
    for folder in folders:
        assert folder.with_name(f"{folder.name}-acc-report").joinpath("report.html").exists()


def test_reports_on_two_metrics_of_one_file_lie_in_two_folders(tmp_path: Path) -> None:
    path = write_table(tmp_path / "runs.csv", loss=np.linspace(1.0, 2.0, RUNS))
    names = ["acc", "loss"]
    studies = [read_external_study(path, Question(metric=name)).study for name in names]
    assert [s.folder.name for s in studies] == ["runs.csv-acc-report", "runs.csv-loss-report"]
    table = pd.read_csv(path).rename(columns={"acc": "val/acc", "loss": "val_acc"})
    table.to_csv(path, index=False)
    folders = {
        read_external_study(path, Question(metric=name)).study.folder.path
        for name in ("val/acc", "val_acc")
    }
    assert len(folders) == 2


def test_a_report_goes_elsewhere_where_its_folder_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_table(tmp_path / "runs.csv")
    (tmp_path / "runs.csv-report").write_text("a file in the way")
    assert report.main([str(path), "--format", "json"]) == 2
    assert "name another folder by --out" in capsys.readouterr().err
    out = tmp_path / "elsewhere"
    assert report.main([str(path), "--format", "json", "--out", str(out)]) == 0
    assert (out / "analysis" / "claims.json").exists()


def test_a_folder_that_cannot_be_made_beside_the_file_is_named_by_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    path = write_table(tmp_path / "runs.csv")
    below_a_file = tmp_path / "file" / "report"  # nobody may write there, root included
    assert report.main([str(path), "--format", "json", "--out", str(below_a_file)]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "cannot be written" in error
    assert "by --out" in error


def test_a_pruned_trial_better_than_the_best_completed_one_is_named(tmp_path: Path) -> None:
    states = ["pruned", *["finished"] * (RUNS - 1)]
    acc = np.linspace(0.9, 0.1, RUNS)  # the first trial is the best one
    path = write_table(tmp_path / "runs.csv", acc=acc, state=states)
    claims = select_claims(list_claims(analyze_study(read_external_study(path).study)), "state")
    (pruned,) = [claim.text for claim in claims if claim.condition == "pruned"]
    assert "row 1 of them reached acc 0.9 before it was stopped, better than any" in pruned
    path = write_table(tmp_path / "worse.csv", acc=acc[::-1], state=states)
    claims = select_claims(list_claims(analyze_study(read_external_study(path).study)), "state")
    assert "better" not in " ".join(claim.text for claim in claims)


def test_that_failures_are_not_analysed_is_said_of_ten(tmp_path: Path) -> None:
    for failed, is_said in ((9, False), (10, True)):
        states = ["failed"] * failed + ["finished"] * (RUNS - failed)
        path = write_table(tmp_path / f"{failed}.csv", state=states)
        claims = list_claims(analyze_study(read_external_study(path).study))
        texts = " ".join(claim.text for claim in select_claims(claims, "state"))
        assert f"{failed} of {RUNS} trials failed" in texts
        assert ("does not analyse with which settings" in texts) == is_said


def test_a_decisive_assumption_stands_at_the_headline_and_in_the_claims(tmp_path: Path) -> None:
    fooble = np.random.default_rng(3).random(RUNS)
    acc = pd.read_csv(write_table(tmp_path / "runs.csv"))["acc"]
    path = write_table(tmp_path / "runs.csv", acc=acc + 20 * fooble, fooble=fooble)
    for kind in ("json", "html"):
        arguments = ["--metric", "acc", "--format", kind, "--out", str(tmp_path / "out")]
        assert report.main([str(path), *arguments]) == 0
    page = (tmp_path / "out" / "report.html").read_text()
    lead = page.partition('<div class="lead">')[0]
    assert "What follows depends on assumption 2: could be either: fooble" in lead
    claims = json.loads((tmp_path / "out" / "analysis" / "claims.json").read_text())
    by_kind = {claim["kind"]: claim for claim in claims}
    del by_kind["best_run"]
    assert "conditional_on" not in by_kind.pop("state")
    assert by_kind
    assert all("THE HEADLINE CHANGES" in c["conditional_on"][0] for c in by_kind.values())


def test_the_best_trial_rests_on_a_direction_that_nothing_speaks_for(tmp_path: Path) -> None:
    path = write_table(tmp_path / "runs.csv").rename(tmp_path / "sweep.csv")
    path.write_text(path.read_text().replace("acc", "fooble", 1))
    arguments = ["--metric", "fooble", "--format", "json", "--out", str(tmp_path / "out")]
    assert report.main([str(path), *arguments]) == 0
    claims = json.loads((tmp_path / "out" / "analysis" / "claims.json").read_text())
    conditions = {claim["kind"]: claim.get("conditional_on") for claim in claims}
    assert conditions["state"] is None
    assert "change by --direction minimize" in conditions["best_run"][0]


def test_a_pipe_that_is_closed_ends_the_command_quietly(tmp_path: Path) -> None:
    path = write_table(tmp_path / "runs.csv")
    command = f"{sys.executable} analysis/report.py {path} --format json | head -n 0"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("", "")


def test_a_setting_and_its_copies_are_one_parameter_under_all_names(tmp_path: Path) -> None:
    table = pd.read_csv(write_table(tmp_path / "runs.csv"))
    copies = {"log_lr": np.log10(table["lr"]), "lr_per_gpu": table["lr"] / 8}
    path = write_table(tmp_path / "copies.csv", **copies)
    study = read_external_study(path).study
    assert [d.label for d in study.space.dimensions] == ["lr or log_lr or lr_per_gpu", "width"]
    assert "cannot tell which one acts" in str(study.assumed[-1])
    assert analyze_study(study).importance.significant_shares[0].path == "lr"


def test_a_doubtful_column_in_the_headline_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = pd.read_csv(write_table(tmp_path / "runs.csv"))["acc"]
    path = write_table(tmp_path / "runs.csv", fooble=rate * 2 + np.linspace(0, 0.1, RUNS))
    assert report.main([str(path), "--metric", "acc", "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert "fooble (read as an outcome, of an unknown name, it stands after" in out
    assert "lr: " in out
    assert "fooble: " not in out


def test_the_page_lists_what_was_assumed_and_its_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(2)
    few = pd.Series(np.exp(rng.uniform(np.log(2), np.log(6), RUNS)))
    assert report.main([str(write_table(tmp_path / "runs.csv", size=few))]) == 0
    out = capsys.readouterr().out
    assert "read the other way, the headline stays: lr" in out
    page = Path(out.splitlines()[-1]).read_text()
    assert "Read the other way, the headline stays: lr" in page


@pytest.mark.parametrize(
    "text",
    ["lr", "lr=1", "lr=2:1", "lr=0:1:log", "lr=a:b", "lr=1:2:cubic", "lr=-inf:inf", "lr=0:inf"],
)
def test_a_bad_prior_is_refused_in_one_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main([str(write_table(tmp_path / "runs.csv")), "--prior", text]) == 2
    assert capsys.readouterr().err.startswith("error: a prior must be NAME=LOW:HIGH")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--prior lr=0:1 --prior lr=0:5", "--prior names lr twice"),
        ("--parameters lr --ignore lr", "--ignore names lr, and so does"),
        ("--prior lr=0:1 --ignore lr", "--ignore names lr, and so does"),
        ("--metric acc --prior acc=0:1", "acc is an outcome of a run"),
        ("--metric acc --parameters acc", "--parameters names acc, the metric"),
        ("--ignore lr,width", "lr: left out by --ignore; width: left out by --ignore"),
        ("--parameters wdith", "did you mean width?"),
    ],
)
def test_options_that_contradict_one_another_are_refused(
    options: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main([str(write_table(tmp_path / "runs.csv")), *options.split()]) == 2
    assert message in capsys.readouterr().err


def test_a_sweep_without_a_completed_trial_says_how_its_trials_stand(tmp_path: Path) -> None:
    states = ["crashed"] * 3 + ["running"] * (RUNS - 3)
    path = write_table(tmp_path / "runs.csv", State=states)
    with pytest.raises(InputError, match=r"no completed trial \(3 failed, 45 not ended\)"):
        read_external_study(path)


def test_a_table_of_one_run_says_that_its_settings_are_constant(tmp_path: Path) -> None:
    path = write_table(tmp_path / "runs.csv")
    pd.read_csv(path)[:1].to_csv(path, index=False)
    with pytest.raises(InputError, match=r"lr: always 0\.0.*width: always"):
        read_external_study(path)


def test_an_empty_folder_is_no_study_whatever_the_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.main([str(tmp_path), "--metric", "acc"]) == 2
    assert "is not a study folder" in capsys.readouterr().err


def test_names_are_printed_in_one_line_in_any_encoding(tmp_path: Path) -> None:
    table = pd.read_csv(write_table(tmp_path / "runs.csv"))
    path = tmp_path / "läufe.csv"
    table.rename(columns={"lr": "größe\nbreit"}).to_csv(path, index=False)
    command = [sys.executable, "analysis/report.py", str(path)]
    ascii_alone = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = subprocess.run(command, env=ascii_alone, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "gr\\xf6\\xdfe breit: 100 %" in ended.stdout


def test_a_declared_range_leaves_out_failed_trials_beyond_it_too(tmp_path: Path) -> None:
    rows = [f"{i / 40},{'failed' if i >= 30 else 'finished'},{i % 7}" for i in range(40)]
    path = tmp_path / "runs.csv"
    path.write_text("lr,status,acc\n" + "\n".join(rows))
    study = read_external_study(path, Question(priors=(parse_prior("lr=0:0.8"),))).study
    assert int((study.trials["state"] == "failed").sum()) == 3
    assert "7 trials outside the range of some parameter" in study.left_out
