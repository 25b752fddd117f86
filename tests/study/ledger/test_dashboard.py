"""The journal in optuna-dashboard, seen in a real browser: phase, state, reason and render."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.protocol.messages import Message, Outcome
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from tests.study.sweeps import PATIENCE
from tests.study.trials import curve

pytest.importorskip("optuna_dashboard", reason="the extra [dashboard] is not installed")
COMMAND = shutil.which("optuna-dashboard")


@pytest.fixture
def address(folder: StudyFolder, spec: StudySpec) -> Iterator[str]:
    """Where a dashboard of a small study is served."""
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
        outcome = Outcome(state, reason, 90, 15.0 + assignment.number)
        manager.on_report(Message(assignment.number, "here", "a CPU", curve(5.0, 15.0), outcome))
    ledger.close()
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
def test_trials_show_phase_state_reason_and_render(address: str, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
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
