"""The same digits for any number of threads of the linear algebra."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from analysis.stats.threads import single_threaded

ROOT = Path(__file__).resolve().parents[3]
STUDY = ROOT / "analysis" / "results" / "activations"

# Prints every number of the analysis in full.
SCRIPT = """
import sys
from analysis.findings.analyze_study import analyze_study
findings = analyze_study(sys.argv[1])
for part in (*findings.importance.shares, *findings.importance.pairs, *findings.importance.parts):
    print(repr(part))
print(findings.importance.r2, repr(findings.with_failures), repr(findings.ped_anova))
for at in findings.over_time.at_steps:
    print(repr(at))
for effect in findings.effects:
    if effect.curve:
        print(effect.curve.mean.tolist(), effect.curve.low.tolist(), effect.curve.verdicts)
print(repr(findings.tunability))
"""


def analyze_with(threads: int) -> str:
    number = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(STUDY)],
        env={**os.environ, **number, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


def test_an_analysis_has_the_same_digits_with_any_number_of_threads() -> None:
    one, four = analyze_with(1), analyze_with(4)
    assert "SobolShare" in one
    assert one == four


@pytest.mark.skipif(not threadpool_info(), reason="no library of threads to limit")
def test_threads_are_limited_within_the_context_only() -> None:
    np.linalg.inv(np.eye(3))
    before = [library["num_threads"] for library in threadpool_info()]
    with single_threaded():
        assert {library["num_threads"] for library in threadpool_info()} == {1}
    assert [library["num_threads"] for library in threadpool_info()] == before


def test_libraries_that_load_later_are_limited_as_well() -> None:
    """SciPy brings a BLAS of its own, which is loaded with the first of its modules."""
    script = (
        "from analysis.stats.threads import single_threaded\n"
        "from threadpoolctl import threadpool_info\n"
        "with single_threaded():\n"
        "    import scipy.linalg, scipy.optimize, scipy.stats\n"
        "    print([library['num_threads'] for library in threadpool_info()])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment.pop(name, None)
    printed = subprocess.check_output([sys.executable, "-c", script], env=environment, text=True)
    assert set(printed.strip("[]\n").split(", ")) == {"1"}
