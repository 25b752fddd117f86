"""A training step as one CUDA graph: a small network's step is bound by its kernel launches.

https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Generator

EAGER_FIRST = 3
"""Steps run as usual before a capture, so that libraries have settled their work space."""


class GraphedStep:
    """Replays `step`, captured anew whenever what decides its shapes has changed.

    `step` must not wait for the device, and must change tensors in place alone: a replay repeats
    what was captured on the same memory. Every call makes exactly one step, a capture none.
    """

    def __init__(self, step: Callable[[], None], generator: Generator) -> None:
        self._step = step
        self._generator = generator
        self._shapes: Hashable = None
        self._eager = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, shapes: Hashable) -> None:
        """One step whose shapes `shapes` tells apart."""
        if shapes != self._shapes:
            self._shapes, self._eager, self._graph = shapes, 0, None
        if self._eager < EAGER_FIRST:
            self._eager += 1
            self._aside()
            return
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            self._graph.register_generator_state(self._generator)
            with torch.cuda.graph(self._graph):
                self._step()
        self._graph.replay()

    def _aside(self) -> None:
        """On another stream, as what comes before a capture must be."""
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._step()
        torch.cuda.current_stream().wait_stream(side)
