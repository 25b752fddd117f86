"""Stands in for torch.cuda: one GPU whose streams run at once and whose graphs only count."""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar
from unittest import mock

import torch
from torch import Generator, Tensor, nn

from fake_cuda.recorder import Recorder, Recording

CUDA = torch.device("cuda", 0)


class FakeGenerator(Generator):
    """A generator of the CPU that remembers being created for the GPU."""

    of_gpu: ClassVar[dict[int, FakeGenerator]] = {}  # by address: a step sees another object there

    def __new__(cls, device: Any = "cpu") -> FakeGenerator:
        generator = super().__new__(cls, device="cpu")
        if torch.device(device).type == "cuda":
            cls.of_gpu[generator._cdata] = generator
        return generator

    def __init__(self, device: Any = "cpu") -> None:
        pass

    def manual_seed(self, seed: int) -> FakeGenerator:
        return self

    # The state of a real one would be read from and written to the memory that a fake tensor lacks.
    def get_state(self) -> Tensor:
        return torch.empty(16, dtype=torch.uint8)

    def set_state(self, state: Tensor) -> FakeGenerator:
        return self


class FakeStream:
    """A stream: an identity, nothing more."""

    def wait_stream(self, other: FakeStream) -> None:
        pass


class FakeAdam(torch.optim.Adam):
    """Adam, whose constructor would read the learning rate from the device, once."""

    def __init__(self, params: Any, lr: Any, **options: Any) -> None:
        super().__init__(params, lr=0.0, **options)
        for group in self.param_groups:
            group["lr"] = lr


class FakeGraph:
    """A `torch.cuda.CUDAGraph` that counts its replays and checks what they would read."""

    def __init__(self, problems: set[str]) -> None:
        self._problems = problems
        self.generators: set[int] = set()
        self.recording = Recording()
        self.replays = 0
        self.is_reset = False

    def register_generator_state(self, generator: Generator) -> None:
        self.generators.add(generator._cdata)

    def replay(self) -> None:
        if self.is_reset:
            self._problems.add("a graph is replayed after its reset")
        for reference, use in self.recording.inputs.values():
            if reference.expired():
                self._problems.add(f"a replay uses freed memory: {use}")
        self.replays += 1

    def reset(self) -> None:
        self.is_reset = True


class FakeGpu:
    """The state behind the functions of torch.cuda: streams, graphs and their recordings."""

    def __init__(self) -> None:
        self.recorder = Recorder(lambda generator: generator._cdata in FakeGenerator.of_gpu)
        self.graphs: list[FakeGraph] = []
        self._stream = self._default_stream = FakeStream()
        self._uses: Counter[FakeStream] = Counter()

    def new_graph(self) -> FakeGraph:
        self.graphs.append(FakeGraph(self.recorder.problems))
        return self.graphs[-1]

    @contextlib.contextmanager
    def use_stream(self, stream: FakeStream) -> Iterator[None]:
        self._uses[stream] += 1
        self._stream = stream
        try:
            yield
        finally:
            self._stream = self._default_stream

    @contextlib.contextmanager
    def capture(self, graph: FakeGraph, stream: FakeStream | None = None) -> Iterator[None]:
        # The last use is the capture itself; one before is a call of a warm-up.
        if stream is None or self._uses[stream] < 2:
            self.recorder.problems.add("a graph is captured on another stream than its warm-up's")
        self.recorder.recording = graph.recording
        failed = True
        try:
            yield
            failed = False
        finally:
            self.recorder.recording = None
            if failed:  # as torch: the end of a failed capture raises an error of its own
                raise RuntimeError("CUDA error: operation failed due to a previous error")
        if graph.recording.generators - graph.generators:
            self.recorder.problems.add("draws with a generator that the graph does not advance")

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Replaces torch.cuda's functions, and what fake tensors cannot go through."""
        autocast = "torch.amp.autocast_mode.torch.cuda.amp.common.amp_definitely_not_available"
        replacements: dict[str, Any] = {
            "torch.cuda.CUDAGraph": self.new_graph,
            "torch.cuda.graph": self.capture,
            "torch.cuda.Stream": lambda *_: FakeStream(),
            "torch.cuda.current_stream": lambda *_: self._stream,
            "torch.cuda.stream": self.use_stream,
            "torch.cuda.get_device_capability": lambda *_: (9, 0),
            "torch.cuda.is_bf16_supported": lambda *_, **__: True,
            autocast: lambda: False,
            "torch.Tensor.__setitem__": lambda *given: self.recorder.assign(*given),
            "torch.optim.Adam": FakeAdam,
            "torch.nn.Module.to": _move_module,
            "nerf.training.step.Generator": FakeGenerator,
            "nerf.training.batch.slot.Generator": FakeGenerator,
            "nerf.model.field._linear": nn.Linear,
        }
        with contextlib.ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            # Copying an optimiser's state asks for the data pointer of its learning rate.
            warnings.filterwarnings("ignore", "Accessing the data pointer of FakeTensor")
            for name, replacement in replacements.items():
                stack.enter_context(mock.patch(name, replacement))
            yield


def _move_module(module: nn.Module, *_: Any) -> nn.Module:
    """`Module.to` a GPU, for fake tensors, which cannot be swapped in place."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                part._parameters[name] = nn.Parameter(torch.empty_like(parameter, device=CUDA))
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = torch.empty_like(buffer, device=CUDA)
    return module
