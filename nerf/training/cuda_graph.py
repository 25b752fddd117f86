"""Runs a training step as one CUDA graph: kernel launches dominate a small network's step.

https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Generator

WARMUP_CALLS = 3
"""Eager calls before a capture, in which libraries allocate their workspaces (as torch advises)."""


class GraphedStep:
    """Replays `step` as a CUDA graph, which is captured again when `key` changes.

    A replay runs the captured kernels on the captured addresses. So `step` must not wait for the
    device, must update tensors in place, and must not depend on Python values other than those in
    `key`. Every call runs `step` exactly once: a capture records it without running it.
    """

    def __init__(self, step: Callable[[], None], generator: Generator) -> None:
        self._step = step
        self._generator = generator
        self._key: Hashable = None
        self._warmup_calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, key: Hashable) -> None:
        """Runs the step once; equal keys mean equal kernels and tensor shapes."""
        if key != self._key:
            self._key, self._warmup_calls, self._graph = key, 0, None
        if self._warmup_calls < WARMUP_CALLS:
            self._warmup_calls += 1
            self._run_on_side_stream()
            return
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            # A registered generator advances with every replay; otherwise each would draw the
            # same random numbers.
            self._graph.register_generator_state(self._generator)
            with torch.cuda.graph(self._graph):
                self._step()
        self._graph.replay()

    def _run_on_side_stream(self) -> None:
        """Runs the step eagerly on another stream, as torch requires before a capture."""
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._step()
        torch.cuda.current_stream().wait_stream(side)
