"""What a training step does on a GPU, counted without one: operations, bytes, waits for the device.

    python benchmarks/gpu_step.py --json benchmarks/gpu_step.json

Runs the first steps of each configuration on fake CUDA tensors (fake_cuda), and reports whatever a
CUDA graph forbids. Needs a C++ compiler, no GPU. The committed gpu_step.json is what
tests/nerf/training/test_fake_cuda.py compares with: a step must not gain a wait or an operation.

Operations are those of ATen, which mostly start one kernel each. GB are those that they read and
write, and TFLOP those of matrix products, of one replayed step. Peak is its memory without
parameters and optimiser. Waits are those of all simulated steps outside the graph: none without an
occupancy grid, otherwise one at each of its updates.

A batch (nerf.training.batch) steps all its members at once; only their draws are operations of
each. Its captures are those of the step of all members.
"""

from __future__ import annotations

import sys
from dataclasses import asdict

from fake_cuda.cases import BATCHES, CASES, PACKED, RESUMED
from fake_cuda.guard import install_guard
from fake_cuda.simulate import Simulation, simulate
from fake_cuda.simulate_batch import BatchSimulation, simulate_batch
from reporting import benchmark_parser, print_table, save_json

from nerf.common.command_line import exit_status
from nerf.common.errors import InputError


def simulate_all() -> dict[str, Simulation]:
    """The simulation of every case, by its name."""
    return {name: simulate(settings, name in RESUMED) for name, settings in CASES.items()}


def row_of(name: str, case: Simulation) -> list[object]:
    """A row of the table."""
    return [
        name,
        sum(case.operations.values()),
        case.bytes / 1e9,
        case.flop / 1e12,
        case.peak / 1e9,
        case.captures,
        case.eager_steps,
        sum(case.waits.values()),
        sum(case.evaluation_waits.values()),
    ]


def batch_row_of(name: str, members: int, case: BatchSimulation) -> list[object]:
    """A row of the table of batches."""
    operations = sum(case.operations.values())
    return [
        name,
        operations,
        case.draw_operations,
        operations / members + case.draw_operations,
        (case.bytes / members + case.draw_bytes) / 1e9,
        case.peak / 1e9,
        case.captures,
    ]


def run_benchmark(arguments: list[str] | None) -> int:
    options = benchmark_parser(__doc__).parse(arguments)
    install_guard()
    simulations = simulate_all()
    columns = ["configuration", "operations", "GB", "TFLOP", "peak GB", "captures", "eager steps"]
    columns += ["waits", "waits of an evaluation"]
    print_table(
        "a training step on a GPU, counted on fake tensors",
        columns,
        [row_of(name, case) for name, case in simulations.items()],
    )
    batches = BATCHES | PACKED
    simulated = {name: simulate_batch(members) for name, members in batches.items()}
    columns = ["batch", "operations", "of a member's draws", "operations a member-step"]
    columns += ["GB a member-step", "peak GB", "captures"]
    print_table(
        "a step of a batch on a GPU, counted on fake tensors",
        columns,
        [batch_row_of(name, len(batches[name]), case) for name, case in simulated.items()],
    )
    cases = {name: asdict(case) for name, case in simulations.items()}
    counted = {name: asdict(case) for name, case in simulated.items()}
    save_json(options.json, "gpu_step", {"cases": cases, "batches": counted})
    every = [*simulations.items(), *simulated.items()]
    problems = [f"{name}: {problem}" for name, case in every for problem in case.problems]
    if problems:
        raise InputError("a GPU could not run these steps: " + "; ".join(problems))
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
