"""Progress on a terminal, and only there."""

from __future__ import annotations

import io
import sys
import time

import pytest

from analysis.findings import waiting
from analysis.findings.waiting import show_if_slow


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_a_slow_block_is_shown_on_a_terminal_alone(
    stream: io.StringIO, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(waiting, "_FIRST_SECONDS", 0.01)
    with show_if_slow("analysing 3 trials"):
        time.sleep(0.1)
    text = stream.getvalue()
    assert ("analysing 3 trials ... 0 s" in text) is shown
    assert "\n" not in text
    assert text.endswith("\x1b[K") is shown
