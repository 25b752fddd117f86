"""Peak memory of trials that one process trains after another."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from study.worker.peak_memory import PeakMemory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux alone")

MIB = 2**20


def hold(mebibytes: int) -> None:
    """Holds memory for a moment; pages that were never written are not resident."""
    np.zeros(mebibytes * MIB, dtype=np.uint8)[:: 2**12] = 1


def test_a_peak_that_is_over_counts() -> None:
    watched = PeakMemory("cpu")
    before = watched.read()
    hold(200)
    assert 190 < watched.read() - before < 230


def test_a_small_trial_after_a_large_one_has_its_own_peak() -> None:
    hold(300)
    watched = PeakMemory("cpu")
    before = watched.read()
    hold(100)
    assert 90 < watched.read() - before < 130


def test_a_trainer_without_torch_on_a_gpu_has_no_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert np.isnan(PeakMemory("cuda").read())
