"""A study's W&B workspace, as the JSON that would be uploaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from study.records.study_folder import StudyFolder
from study.trackers.tracker import run_key
from study.wandb_workspace import main

LEGACY = Path(__file__).parents[1] / "legacy" / "study"


def panels(workspace: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    sections = workspace["section"]["panelBankConfig"]["sections"]
    every = (panel for section in sections for panel in section["panels"])
    return [panel["config"] for panel in every if panel["viewType"] == kind]


def test_its_help_needs_no_checkout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nerf.common.commands._is_checkout", lambda: False)
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python study/wandb_workspace.py studies/first" in capsys.readouterr().out


def test_it_shows_curves_parameters_and_collapse(tmp_path: Path) -> None:
    pytest.importorskip("wandb_workspaces", reason="the extra [workspace] is not installed")
    shutil.copytree(LEGACY, tmp_path / "study")
    out = tmp_path / "workspace.json"
    assert main([str(tmp_path / "study"), "--entity=me", f"--out={out}"]) == 0
    workspace = json.loads(out.read_text())
    curves, by_tag = panels(workspace, "Run History Line Plot")
    assert curves["metrics"] == by_tag["metrics"] == ["psnr"]
    assert (curves.get("groupBy"), by_tag["groupBy"]) == (None, "tags")
    (parallel,) = panels(workspace, "Parallel Coordinates Plot")
    accessors = [column["accessor"] for column in parallel["columns"]]
    assert "config:sampling.value.near" in accessors
    assert accessors[-1] == "summary:psnr"
    (runs,) = workspace["section"]["runSets"]
    (group,) = runs["filters"]["filters"]
    assert (group["key"]["name"], group["value"]) == ("group", "study")
    folder = StudyFolder(tmp_path / "study")
    rows = [record["trial"] for record in folder.records()]
    collapsed = [row["trial_id"] for row in rows if row["state"] == "collapsed"]
    coloured = workspace["section"]["customRunColors"]
    assert set(coloured) == {run_key(folder, name) for name in collapsed}
    assert len(collapsed) == 1
