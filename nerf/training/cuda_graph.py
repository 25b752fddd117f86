"""Runs a training step as one CUDA graph: kernel launches dominate a small network's step.

https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable

import torch
from torch import Generator

WARMUP_CALLS = 3
"""Eager calls before a capture, in which libraries allocate their workspaces (as torch advises)."""


class GraphedStep:
    """Replays a step as a CUDA graph, which is captured again when `key` changes.

    A replay runs the captured kernels on the captured addresses. So the step must not wait for the
    device, must update tensors in place, and must not depend on Python values other than those in
    `key`. Every call runs the step exactly once: a capture records it without running it.

    The step is passed to each call and not kept: an object that holds both would be in a reference
    cycle, and its memory on the device would outlive it until the next garbage collection.
    """

    def __init__(self, device: torch.device, *generators: Generator) -> None:
        """For a step on `device` that draws random numbers from `generators`."""
        self._generators = generators
        # One stream for warm-up and capture, as libraries keep a workspace for each stream. Not
        # the default of torch.cuda.graph, which all graphs of a process share: resetting a graph
        # frees the workspaces of its stream, though others may use them (pytorch#193402).
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._key: Hashable = None
        self._warmup_calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, step: Callable[[], None], key: Hashable) -> None:
        """Runs `step` once; equal keys mean equal kernels and tensor shapes."""
        if key != self._key:
            self.release()
            self._key = key
        if self._warmup_calls < WARMUP_CALLS:
            self._warmup_calls += 1
            self._run_on_stream(step)
            return
        if self._graph is None:
            self._graph = self._capture(step)
        self._graph.replay()

    def release(self) -> None:
        """Frees the graph and its memory; the next call begins with a warm-up again."""
        if self._graph is not None:
            self._graph.reset()
        self._key, self._warmup_calls, self._graph = None, 0, None

    def _run_on_stream(self, step: Callable[[], None]) -> None:
        """Runs the step eagerly on the graph's stream, as torch requires before a capture."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            step()
        torch.cuda.current_stream().wait_stream(self._stream)

    def _capture(self, step: Callable[[], None]) -> torch.cuda.CUDAGraph:
        """A graph of the step, which has not run; raises what the step raises."""
        graph = torch.cuda.CUDAGraph()
        # A registered generator advances with every replay; otherwise each would draw the same
        # random numbers.
        for generator in self._generators:
            graph.register_generator_state(generator)
        failure: Exception | None = None
        try:
            # The outer stream context resets the current stream if the capture fails: torch's
            # own does not.
            with torch.cuda.stream(self._stream), torch.cuda.graph(graph, stream=self._stream):
                try:
                    step()
                except Exception as error:
                    failure = error
                    raise
        except Exception:
            if failure is None:
                raise
            # A failed capture ends with an error which only says that there was one before. The
            # first one, raised below, names the cause, such as a lack of memory.
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # its traceback holds this frame: a cycle that would keep all tensors
        return graph


def release_cached_memory() -> None:
    """Gives memory that PyTorch caches back to the GPU, which other processes may share.

    Does nothing if the device is broken: every call fails then, after the one that broke it.
    """
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        with contextlib.suppress(RuntimeError):
            torch.cuda.empty_cache()
