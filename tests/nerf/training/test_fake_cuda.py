"""The training step as a GPU runs it, on fake CUDA tensors, for machines without a GPU.

Skipped without a C++ compiler, which the stand-in for the device needs (benchmarks/fake_cuda); a
machine that runs CI has to have one. Where a test fails because a step has changed on purpose,
write the record again:

    python benchmarks/gpu_step.py --json benchmarks/gpu_step.json
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_cuda.guard import find_compiler

from tests.nerf.training.planted_faults import FAULTS

ROOT = Path(__file__).parents[3]
RECORD = ROOT / "benchmarks" / "gpu_step.json"

MAX_MORE_OPERATIONS = 1.02
"""Versions of PyTorch differ by some operations in a step; so many are not worth a failure."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if find_compiler() is None:
        pytest.skip("no C++ compiler: install g++, or name one with CXX=PATH")
    file = tmp_path_factory.mktemp("fake_cuda") / "results.json"
    command = [sys.executable, "-m", "tests.nerf.training.fake_cuda_process", str(file)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(RECORD.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results: dict[str, Any] = json.loads(file.read_text())
    return results


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    cases: dict[str, Any] = json.loads(RECORD.read_text())["cases"]
    return cases


@pytest.mark.slow
def test_every_kind_of_step_can_be_captured(results: dict[str, Any]) -> None:
    problems = {name: case["problems"] for name, case in results["cases"].items()}
    assert len(problems) >= 20
    assert not any(problems.values()), problems


def test_no_step_waits_for_the_device_more_than_before(
    results: dict[str, Any], record: dict[str, Any]
) -> None:
    assert results["cases"].keys() == record.keys()
    for name, case in results["cases"].items():
        for kind in ("waits", "evaluation_waits"):
            for place, count in case[kind].items():
                assert count <= record[name][kind].get(place, 0), f"{name}: {kind} in {place}"


def test_no_step_has_more_operations_captures_or_eager_steps_than_before(
    results: dict[str, Any], record: dict[str, Any]
) -> None:
    for name, case in results["cases"].items():
        before = sum(record[name]["operations"].values())
        assert sum(case["operations"].values()) <= MAX_MORE_OPERATIONS * before, name
        assert case["captures"] <= record[name]["captures"], name
        assert case["eager_steps"] <= record[name]["eager_steps"], name


def test_a_long_warm_up_of_the_learning_rate_does_not_delay_the_capture(
    results: dict[str, Any],
) -> None:
    case = results["cases"]["white background, long warm-up"]
    assert (case["captures"], case["eager_steps"]) == (2, 6)


def test_the_gradient_of_a_hash_table_sorts_once(results: dict[str, Any]) -> None:
    assert results["cases"]["hash"]["operations"]["index_put_"] == 1


def test_every_planted_fault_is_noticed(results: dict[str, Any]) -> None:
    assert len(FAULTS) >= 8
    for name, fault in FAULTS.items():
        noticed = " ".join(results["faults"][name])
        assert fault.problem in noticed, f"{name}: {noticed or 'nothing noticed'}"


def test_a_capture_out_of_memory_says_so_and_frees_what_it_had(results: dict[str, Any]) -> None:
    assert results["out of memory"] == {
        "error": "OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
        "freed": True,
    }
