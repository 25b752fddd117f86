"""Collected tables give the same findings as the study they were copied from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.claims.claim import Claim
from analysis.claims.list_claims import list_claims
from analysis.findings.analyze_study import analyze_study
from analysis.published.collect import collect_tables, main, strip_folders
from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder

Make = Callable[..., StudyFolder]


@pytest.mark.usefixtures("few_resamples")
def test_collected_tables_give_the_findings_of_the_study(make_study: Make, tmp_path: Path) -> None:
    vary = ("sampling.near", "optimisation.learning_rate")
    study = make_study(explore=16, optimize=2, vary=vary)
    collected = collect_tables(study, tmp_path / "results")
    assert {file.name for file in collected.path.iterdir()} == {
        "study.json",
        "trials.parquet",
        "curves.parquet",
    }
    assert claims_without_place(collected) == claims_without_place(study)


def claims_without_place(folder: StudyFolder) -> list[Claim]:
    """The claims on a study; a command in one of them says where the study lies."""
    place = str(folder.path.parent)
    return [
        replace(claim, text=claim.text.replace(place, "PLACE"))
        for claim in list_claims(analyze_study(folder))
    ]


def test_paths_of_this_machine_are_removed() -> None:
    spec = {"scene": {"source": "/home/ada/scenes/cup.npz"}, "command": ["run.py", "/data/lego"]}
    collected = strip_folders(spec)
    assert collected == {"scene": {"source": "cup.npz"}, "command": ["run.py", "lego"]}
    assert strip_folders({"rate": 0.5, "when": "2026-11-23"}) == {
        "rate": 0.5,
        "when": "2026-11-23",
    }


def test_results_of_another_study_are_not_overwritten(
    make_study: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study(explore=4, optimize=0)
    collect_tables(study, tmp_path / "results")
    collect_tables(study, tmp_path / "results")  # the same one may be collected again
    spec = study.read_spec()
    study.spec_file.write_text(json.dumps({**spec, "created": "2020-01-01T00:00:00+00:00"}))
    with pytest.raises(InputError, match="another study's results"):
        collect_tables(study, tmp_path / "results")
    assert main([str(study.path), "--into", str(tmp_path / "results")]) == 2
    assert "another study's results" in capsys.readouterr().err
