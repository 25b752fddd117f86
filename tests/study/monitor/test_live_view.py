"""What a live view costs: a small share of the time, however many trials a study has."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from rich.console import Console

from study.ledger.ledger import Ledger
from study.monitor import live_view
from study.monitor.live_view import LiveView
from study.monitor.progress import StudyProgress, study_progress
from study.spec.study_spec import StudySpec


def test_slow_progress_is_shown_seldom(
    open_ledger: Callable[[], Ledger], spec: StudySpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, passes = open_ledger(), []

    def slow_progress(trials: Sequence[Any], *rest: Any) -> StudyProgress:
        passes.append(len(trials))
        time.sleep(0.02)  # as of some thousand trials
        return study_progress(trials, *rest)

    monkeypatch.setattr(live_view, "study_progress", slow_progress)
    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    with LiveView(console, "a study", spec) as view:
        for _ in range(4):
            assert view.is_due() == (not passes)
            view.show(ledger.trials())
        assert len(passes) == 1
        view.show(ledger.trials(), at_once=True)
    assert len(passes) == 2
