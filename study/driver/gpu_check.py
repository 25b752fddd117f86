"""What torch sees of the GPUs of each node, before trials are to use them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from nerf.common.errors import InputError

_CHECK_TIMEOUT = 180.0  # seconds that a node has to start a process and import torch


@dataclass(frozen=True)
class GpuCheck:
    """The answer of one node: what torch is and sees there, and why trials cannot use a GPU."""

    host: str
    seen: str
    problem: str = ""

    @property
    def line(self) -> str:
        """One line for a person."""
        problem = f", but no GPU: {self.problem}" if self.problem else ""
        return f"{self.host}: {self.seen}{problem}"


class GpuChecks:
    """Checks the nodes with GPUs as they join, each once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._pending: dict[Any, str] = {}  # Ray's references, and the nodes' addresses

    def start(self, nodes: list[dict[str, Any]]) -> None:
        """Starts the check of those nodes with GPUs that were not checked yet."""
        for node in nodes:
            if node["Resources"].get("GPU") and node["NodeID"] not in self._seen:
                self._seen.add(node["NodeID"])
                this_node = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                check = _check_gpus.options(scheduling_strategy=this_node).remote()
                self._pending[check] = node["NodeManagerAddress"]

    def finished(self, timeout: float = 0.0) -> list[GpuCheck]:
        """The checks that have ended since the last call, after at most `timeout` seconds."""
        if not self._pending:
            return []
        every = list(self._pending)
        done, _ = ray.wait(every, num_returns=len(every), timeout=timeout)
        return [_result(check, self._pending.pop(check)) for check in done]

    def require(self, nodes: list[dict[str, Any]]) -> list[str]:
        """Checks these nodes and returns a line for each.

        Raises `InputError` if torch sees no GPU on one of them.
        """
        self.start(nodes)
        checks = self.finished(_CHECK_TIMEOUT)
        late = [GpuCheck(host, "no answer", "timed out") for host in self._pending.values()]
        broken = [check.line for check in (*checks, *late) if check.problem]
        if broken:
            raise InputError(
                f"trials cannot use the GPUs of {'; '.join(broken)}; repair the driver or install "
                "torch for its CUDA version, or leave out --gpus-per-trial to train on CPUs"
            )
        return [check.line for check in checks]


def _result(check: Any, host: str) -> GpuCheck:
    try:
        return GpuCheck(host, **ray.get(check))
    except ray.exceptions.RayError as error:
        first_line = next(iter(str(error).splitlines()), type(error).__name__)
        return GpuCheck(host, "the check died", first_line)


# Without a GPU of its own it runs even where trials occupy all of them; its process ends after it,
# and gives the memory of its CUDA context back.
@ray.remote(num_cpus=0, max_calls=1)
def _check_gpus() -> Mapping[str, str]:
    if not os.environ.get("CUDA_VISIBLE_DEVICES"):
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)  # Ray hides all GPUs from tasks without any
    return describe_gpus()


def describe_gpus() -> dict[str, str]:
    """What torch sees in this process: `seen`, and a `problem` where that is not a usable GPU."""
    import torch

    seen = f"torch {torch.__version__}, CUDA {torch.version.cuda or 'not built in'}"
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
        devices = [_describe_gpu(index) for index in range(torch.cuda.device_count())]
    except (RuntimeError, AssertionError) as error:
        return {"seen": seen, "problem": " ".join(str(error).split())}
    if not devices:
        return {"seen": seen, "problem": "torch.cuda.device_count() is 0"}
    return {"seen": f"{seen}, {', '.join(devices)}"}


def _describe_gpu(index: int) -> str:
    import torch

    free, total = torch.cuda.mem_get_info(index)
    name = torch.cuda.get_device_name(index)
    return f"{name} ({free / 2**30:.1f} of {total / 2**30:.1f} GiB free)"
