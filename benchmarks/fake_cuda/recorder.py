"""Records the operations on fake CUDA tensors, and what a CUDA graph forbids among them.

While a graph is captured, an operation must not wait for the device or take anything from the
host: that raises `ForbiddenError`. Outside of captures such waits are counted by the function that
they are in.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

import nerf

NO_KERNEL = frozenset(
    [
        "view",
        "_unsafe_view",
        "_reshape_alias",
        "reshape",
        "expand",
        "t",
        "transpose",
        "permute",
        "select",
        "slice",
        "split",
        "unbind",
        "split_with_sizes",
        "detach",
        "alias",
        "as_strided",
        "unsqueeze",
        "squeeze",
        "diagonal",
        "unfold",
        "lift_fresh",
        "empty",
        "empty_like",
        "empty_strided",
        "new_empty",
        "new_empty_strided",
        "resize_",
        "set_",
    ]
)
"""Operations that only describe or allocate memory: they start no kernel."""

READS_SCALAR = ("_local_scalar_dense", "item", "is_nonzero")
"""What .item(), int(), float() and `if tensor:` become; the latter two in inference mode."""

DATA_DEPENDENT = ("DataDependentOutputException", "DynamicOutputShapeException")
"""Errors of fake tensors where a shape or a Python value depends on numbers on the device."""

ALLOCATION_UNIT = 512
"""Bytes to which PyTorch's allocator rounds up."""

DEFAULT_FLOAT, DEFAULT_INTEGER = 0.1, 1
"""What reading a scalar returns where no number was set: fake tensors have none."""


_ASSIGN = Tensor.__setitem__


class ForbiddenError(Exception):
    """The captured step waits for the device, or takes something from the host."""


@dataclass(frozen=True)
class Cost:
    """What one replay of a captured step does."""

    operations: dict[str, int]
    """Number of each ATen operation; most start one kernel each."""
    bytes: int
    """Read and written by all operations."""
    flop: int
    """Of matrix products."""
    peak: int
    """Most bytes that the step allocates at once, without parameters and optimiser."""


@dataclass
class Recording:
    """The operations of one captured step."""

    operations: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    """Read and written by all operations; an expanded view counts as if it were in memory."""
    flop: int = 0
    """Of matrix products."""
    peak: int = 0
    """Most bytes allocated by the step at once; parameters and optimiser are not in it."""
    inputs: dict[int, tuple[StorageWeakRef, str]] = field(default_factory=dict)
    """Memory from outside that a replay uses, by address, with its first use."""
    generators: set[int] = field(default_factory=set)
    _live: dict[int, tuple[StorageWeakRef, int]] = field(default_factory=dict)
    _made: dict[int, StorageWeakRef] = field(default_factory=dict)

    def cost(self) -> Cost:
        return Cost(dict(self.operations), self.bytes, self.flop, self.peak)

    def add_input(self, tensor: Tensor, operation: str) -> None:
        storage = tensor.untyped_storage()
        # The weak references in `_made` keep an address from being used twice.
        if storage._cdata not in self._made:
            use = f"{operation} of {tuple(tensor.shape)}"
            self.inputs.setdefault(storage._cdata, (StorageWeakRef(storage), use))

    def add_output(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata in self.inputs or storage._cdata in self._made:
            return
        reference = StorageWeakRef(storage)
        size = -(-storage.nbytes() // ALLOCATION_UNIT) * ALLOCATION_UNIT
        self._made[storage._cdata] = reference
        self._live[storage._cdata] = reference, size
        self._live = {k: each for k, each in self._live.items() if not each[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self._live.values()))

    def add_operation(self, func: Any, args: Any, kwargs: Any, out: Any, moved: int) -> None:
        """Counts an operation that reads and writes `moved` bytes, unless it starts no kernel."""
        name = operation_name(func)
        if name in NO_KERNEL:
            return
        self.operations[name] += 1
        self.bytes += moved
        count_flop = flop_registry.get(func._overloadpacket)
        if count_flop:
            self.flop += count_flop(*args, **kwargs, out_val=out)


class Recorder(TorchDispatchMode):
    """Sees every operation, below autograd and autocast, on top of the fake tensors."""

    def __init__(self, is_gpu_generator: Callable[[Generator], bool]) -> None:
        super().__init__()
        self._is_gpu_generator = is_gpu_generator
        self.recording: Recording | None = None
        """Set while a step is captured."""
        self.waits: Counter[str] = Counter()
        """Waits for the device outside of captures, by the function of nerf/ that they are in."""
        self.problems: set[str] = set()
        self.numbers: dict[int, int] = {}
        """What reading the scalar at an address returns."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.ops.prim.device.default:
            return func(*args, **kwargs)
        name = operation_name(func)
        inputs = _tensors((args, kwargs))
        if name in READS_SCALAR:
            return self._read_scalar(inputs[0])
        try:
            # The fused Adam updates in place; it has no version for fake tensors.
            out = None if name == "_fused_adam_" else func(*args, **kwargs)
        except Exception as error:
            if type(error).__name__ in DATA_DEPENDENT:
                self._report(f"waits for the device: {name}")
            raise
        outputs = _tensors(out)
        self._check_devices(name, inputs, outputs)
        self._check_generator(name, (*args, *kwargs.values()), outputs)
        if self.recording:
            self._record(self.recording, func, args, kwargs, out, inputs, outputs)
        return out

    def assign(self, tensor: Tensor, index: Any, value: Any) -> None:
        """`tensor[index] = value`; notes a number, which would be copied to a GPU from the host.

        PyTorch does that below this recorder, and on fake tensors writes to memory not theirs.
        """
        if tensor.is_cuda and not isinstance(value, Tensor):
            self._report("assigns a number to an element on the GPU: use fill_")
        else:
            _ASSIGN(tensor, index, value)

    def _record(
        self,
        recording: Recording,
        func: Any,
        args: Any,
        kwargs: Any,
        out: Any,
        inputs: list[Tensor],
        outputs: list[Tensor],
    ) -> None:
        inputs, outputs = ([each for each in s if each.is_cuda] for s in (inputs, outputs))
        for tensor in inputs:
            recording.add_input(tensor, operation_name(func))
        for tensor in outputs:
            recording.add_output(tensor)
        if inputs or outputs:
            moved = sum(each.numel() * each.element_size() for each in inputs + outputs)
            recording.add_operation(func, args, kwargs, out, moved)

    def _read_scalar(self, tensor: Tensor) -> float | int:
        if tensor.is_cuda:
            if self.recording:
                self._report("waits for the device: reads a scalar")
            self.waits[_caller()] += 1
        if tensor.dtype.is_floating_point:
            return DEFAULT_FLOAT
        return self.numbers.get(tensor.untyped_storage()._cdata, DEFAULT_INTEGER)

    def _check_devices(self, name: str, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        if not {"cpu", "cuda"} <= {each.device.type for each in inputs + outputs}:
            return
        if name in ("_to_copy", "to", "copy_") and not self.recording:
            self.waits[_caller()] += 1  # a copy, for which the host waits
        else:
            self._report(f"mixes tensors of CPU and GPU: {name}")

    def _check_generator(self, name: str, arguments: Any, outputs: list[Tensor]) -> None:
        if not any(each.is_cuda for each in outputs):
            return
        for generator in arguments:
            if isinstance(generator, Generator):
                if not self._is_gpu_generator(generator):
                    self._report(f"draws on the GPU with a generator of the CPU: {name}")
                if self.recording:
                    self.recording.generators.add(generator._cdata)

    def _report(self, problem: str) -> None:
        self.problems.add(f"{_caller()} {problem}")
        if self.recording:
            raise ForbiddenError(f"{_caller()} {problem}")


def operation_name(func: Any) -> str:
    """ATen's name of an operation, such as "mm"."""
    name: str = func._schema.name
    return name.removeprefix("aten::")


def _tensors(values: Any) -> list[Tensor]:
    return [each for each in tree_leaves(values) if isinstance(each, Tensor)]


def _caller() -> str:
    """The innermost function of nerf/ that is running, such as "HealthWatch.check"."""
    package = str(Path(nerf.__file__).parent)
    frame = sys._getframe()
    while frame.f_back and not frame.f_code.co_filename.startswith(package):
        frame = frame.f_back
    return frame.f_code.co_qualname.partition(".<locals>")[0]
