"""Runs a training step as one CUDA graph: kernel launches dominate a small network's step.

https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Hashable

import torch
from torch import Generator

WARMUP_CALLS = 3
"""Eager calls before a capture, in which libraries allocate their workspaces (as torch advises)."""

_free_streams: list[torch.cuda.Stream] = []
"""Streams of graphs that have been released, on the one GPU that the process uses.

torch has 32 streams and hands them out in turn: with a new one for each graph, two live graphs
would sooner or later share one.
"""


class GraphedStep:
    """Replays a step as a CUDA graph, which is captured again when `key` changes.

    A replay runs the captured kernels on the captured addresses. So the step must not wait for the
    device, must update tensors in place, and must not depend on Python values other than those in
    `key`. Every call runs the step exactly once: a capture records it without running it.

    The step is passed to each call and not kept: an object that holds both would be in a reference
    cycle, and its memory on the device would outlive it until the next garbage collection.
    """

    def __init__(
        self, device: torch.device, *generators: Generator, has_products: bool = True
    ) -> None:
        """For a step on `device` that draws random numbers from `generators`.

        Without matrix products, it shares a stream with others that have none.
        """
        self._device = device
        self._generators = generators
        self._has_products = has_products
        # One stream for warm-up and capture, as libraries keep a workspace for each stream. Not
        # that of another graph, such as the default of torch.cuda.graph: resetting a graph frees
        # the workspaces of its stream, though others may use them (pytorch#193402).
        self._stream: torch.cuda.Stream | None = None
        self._key: Hashable = None
        self._warmup_calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, step: Callable[[], None], key: Hashable) -> None:
        """Runs `step` once; equal keys mean equal kernels on the same tensors."""
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
        if self._stream is not None and self._has_products:
            _free_streams.append(self._stream)
        self._key, self._warmup_calls, self._graph, self._stream = None, 0, None, None

    def _run_on_stream(self, step: Callable[[], None]) -> None:
        """Runs the step eagerly on the graph's stream, as torch requires before a capture."""
        stream = self._take_stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            step()
        torch.cuda.current_stream().wait_stream(stream)

    def _take_stream(self) -> torch.cuda.Stream:
        """The stream of warm-up and capture."""
        if self._stream is None:
            if not self._has_products:
                self._stream = _stream_without_workspaces(self._device)
            elif _free_streams:
                self._stream = _free_streams.pop()
            else:
                self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        return self._stream

    def _capture(self, step: Callable[[], None]) -> torch.cuda.CUDAGraph:
        """A graph of the step, which has not run; raises what the step raises."""
        graph, stream = torch.cuda.CUDAGraph(), self._take_stream()
        # A registered generator advances with every replay; otherwise each would draw the same
        # random numbers.
        for generator in self._generators:
            graph.register_generator_state(generator)
        failure: Exception | None = None
        try:
            # The outer stream context resets the current stream if the capture fails: torch's
            # own does not.
            with torch.cuda.stream(stream), torch.cuda.graph(graph, stream=stream):
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


@functools.cache
def _stream_without_workspaces(device: torch.device) -> torch.cuda.Stream:
    """The stream of all graphs that need no workspaces."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def release_cached_memory() -> None:
    """Gives memory that PyTorch caches back to the GPU, which other processes may share.

    Does nothing if the device is broken: every call fails then, after the one that broke it.
    """
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        with contextlib.suppress(RuntimeError):
            torch.cuda.empty_cache()
