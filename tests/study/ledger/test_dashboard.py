"""The journal in optuna-dashboard: read by its own functions, and seen in a real browser."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from study.driver.trial_manager import TrialManager
from study.ledger.journal import read_trials
from study.ledger.ledger import Ledger
from study.protocol.messages import Message, Outcome
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from tests.study.sweeps import PATIENCE
from tests.study.trials import curve

pytest.importorskip("optuna_dashboard", reason="the extra [dashboard] is not installed")
COMMAND = shutil.which("optuna-dashboard")


def run_trials(folder: StudyFolder, spec: StudySpec) -> None:
    """Three trials, of which the second collapses with its full budget."""
    ledger = Ledger(folder, spec)
    manager = TrialManager(folder, ledger, ())
    reasons = ("", "density is dead", "")
    for reason in reasons:
        assignment = manager.next_trial()
        assert assignment
        render = folder.render(f"{assignment.number:05d}")
        render.parent.mkdir(exist_ok=True)
        imageio.imwrite(render, np.full((24, 48, 3), 90, np.uint8))
        state = "collapsed" if reason else "completed"
        outcome = Outcome(state, reason, 90, 15.123456 + assignment.number)
        manager.on_report(Message(assignment.number, "here", "a CPU", curve(5.0, 15.0), outcome))
    ledger.plot_outcomes()
    ledger.close()


def attributes(folder: StudyFolder) -> dict[str, Any]:
    """The study's, where the dashboard has what is its own."""
    storage = JournalStorage(JournalFileBackend(str(folder.journal)))
    return dict(storage.get_study_system_attrs(storage.get_all_studies()[0]._study_id))


def test_the_metric_has_a_name_and_four_decimals(folder: StudyFolder, spec: StudySpec) -> None:
    run_trials(folder, spec)
    assert attributes(folder)["study:metric_names"] == ["PSNR (dB)"]
    assert [trial.value for trial in read_trials(folder)] == [15.1235, 16.1235, 17.1235]


def test_a_collapsed_trial_differs_from_others_of_its_optuna_state(
    folder: StudyFolder, spec: StudySpec
) -> None:
    from optuna_dashboard._custom_plot_data import get_plotly_graph_objects
    from optuna_dashboard._note import get_note_from_system_attrs

    run_trials(folder, spec)
    assert {trial.state for trial in read_trials(folder)} == {TrialState.COMPLETE}
    assert [trial.user_attrs["collapsed"] for trial in read_trials(folder)] == [0, 1, 0]
    written = attributes(folder)
    notes = [get_note_from_system_attrs(written, k)["body"] for k in range(3)]
    assert notes == ["", "**collapsed** density is dead", ""]
    (figure,) = get_plotly_graph_objects(written).values()
    traces = [(trace["name"], trace["x"]) for trace in json.loads(figure)["data"]]
    assert traces == [("completed: 2", [0, 2]), ("collapsed: 1", [1])]


def test_a_person_s_note_and_an_unchanged_plot_stay(folder: StudyFolder, spec: StudySpec) -> None:
    ledger = Ledger(folder, spec)
    assert ledger.ask()
    mine = {"dashboard:0:note_ver": 3, "dashboard:0:note_str:0": "mine"}
    storage = JournalStorage(JournalFileBackend(str(folder.journal)))
    for key, value in mine.items():
        storage.set_study_system_attr(0, key, value)
    ledger.tell(0, Outcome("collapsed", "density is dead", 90, 15.0))
    ledger.plot_outcomes()
    size = folder.journal.stat().st_size
    ledger.plot_outcomes()
    ledger.close()
    assert folder.journal.stat().st_size == size
    assert attributes(folder).items() >= mine.items()


@pytest.fixture
def address(folder: StudyFolder, spec: StudySpec) -> Iterator[str]:
    """Where a dashboard of a small study is served."""
    run_trials(folder, spec)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert COMMAND
    command = [COMMAND, str(folder.journal), "--storage-class", "JournalFileStorage"]
    server = subprocess.Popen(
        [*command, "--artifact-dir", str(folder.path / "artifacts"), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{address}/api/studies", timeout=5)
            break
        except OSError:
            time.sleep(0.2)
    yield address
    server.kill()
    server.wait()


@pytest.mark.skipif(COMMAND is None, reason="optuna-dashboard is not on the path")
def test_it_shows_metric_phase_state_reason_and_render(address: str, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{address}/dashboard/studies/0")
        for text in ("PSNR (dB)", "Trials by state", "collapsed: 1"):
            page.get_by_text(text).first.wait_for(timeout=1000 * PATIENCE)
        page.goto(f"{address}/dashboard/studies/0/trials?numbers=1")
        page.get_by_text("density is dead").first.wait_for(timeout=1000 * PATIENCE)
        text = page.inner_text("body")
        for part in ("phase", "explore", "state", "collapsed", "sampling.near"):
            assert part in text
        image = page.locator("img[src*='artifacts']").first
        image.wait_for(timeout=1000 * PATIENCE)
        loaded = "() => document.querySelector(\"img[src*='artifacts']\").naturalWidth == 48"
        page.wait_for_function(loaded, timeout=1000 * PATIENCE)
        browser.close()
