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

from tests.nerf.training.planted_faults import BATCH_FAULTS, FAULTS

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
    record: dict[str, Any] = json.loads(RECORD.read_text())
    return record


@pytest.mark.slow
def test_every_kind_of_step_can_be_captured(results: dict[str, Any]) -> None:
    problems = {name: case["problems"] for name, case in results["cases"].items()}
    assert len(problems) >= 20
    assert not any(problems.values()), problems


def test_no_step_waits_for_the_device_more_than_before(
    results: dict[str, Any], record: dict[str, Any]
) -> None:
    assert results["cases"].keys() == record["cases"].keys()
    for name, case in results["cases"].items():
        for kind in ("waits", "evaluation_waits"):
            for place, count in case[kind].items():
                assert count <= record["cases"][name][kind].get(place, 0), (
                    f"{name}: {kind} in {place}"
                )


def test_no_step_has_more_operations_captures_or_eager_steps_than_before(
    results: dict[str, Any], record: dict[str, Any]
) -> None:
    for kind in ("cases", "batches"):
        for name, case in results[kind].items():
            before = record[kind][name]
            most = MAX_MORE_OPERATIONS * sum(before["operations"].values())
            assert sum(case["operations"].values()) <= most, name
            for count in {"captures", "eager_steps", "draw_operations"} & before.keys():
                assert case[count] <= before[count], f"{name}: {count}"


def test_a_batch_can_be_captured_and_a_new_member_needs_no_capture(results: dict[str, Any]) -> None:
    problems = {name: case["problems"] for name, case in results["batches"].items()}
    assert problems
    assert not any(problems.values()), problems


def test_a_step_of_sixteen_members_has_hardly_more_operations_than_one_of_one(
    record: dict[str, Any],
) -> None:
    one, sixteen = (record["batches"][f"{size} x 4x128"] for size in (1, 16))
    assert sum(sixteen["operations"].values()) <= 1.02 * sum(one["operations"].values())
    assert sixteen["draw_operations"] <= 4


def test_a_long_warm_up_of_the_learning_rate_does_not_delay_the_capture(
    results: dict[str, Any],
) -> None:
    case = results["cases"]["white background, long warm-up"]
    assert (case["captures"], case["eager_steps"]) == (2, 6)


def test_the_gradient_of_a_hash_table_sorts_once(results: dict[str, Any]) -> None:
    assert results["cases"]["hash"]["operations"]["index_put_"] == 1


def test_every_planted_fault_is_noticed(results: dict[str, Any]) -> None:
    assert len(FAULTS) >= 8
    for name, fault in (FAULTS | BATCH_FAULTS).items():
        noticed = " ".join(results["faults"][name])
        assert fault.problem in noticed, f"{name}: {noticed or 'nothing noticed'}"


def test_a_capture_out_of_memory_says_so_and_frees_what_it_had(results: dict[str, Any]) -> None:
    assert results["out of memory"] == {
        "error": "OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
        "freed": True,
    }
