"""What GraphedStep's module does without a graph; test_fake_cuda.py tests the graphs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
import torch

from nerf.training import cuda_graph
from nerf.training.cuda_graph import GraphedStep, release_cached_memory


def test_cached_memory_is_released_only_where_a_gpu_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: calls.append("released"))
    release_cached_memory()
    assert calls == []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    release_cached_memory()
    assert calls == ["released"]


def test_a_broken_gpu_is_no_second_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", fail)
    release_cached_memory()


class Stream:
    """A stream of a GPU: an identity, nothing more."""

    def wait_stream(self, other: Any) -> None:
        pass


@pytest.mark.usefixtures("unchecked_shapes")
def test_only_graphs_without_products_share_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[Stream] = []
    used: list[Stream] = []

    def new_stream(*_: Any) -> Stream:
        created.append(Stream())
        return created[-1]

    def use_stream(stream: Stream) -> contextlib.AbstractContextManager[None]:
        used.append(stream)
        return contextlib.nullcontext()

    replacements: dict[str, Callable[..., Any]] = {
        "Stream": new_stream,
        "stream": use_stream,
        "current_stream": Stream,
    }
    for name, replacement in replacements.items():
        monkeypatch.setattr(torch.cuda, name, replacement)
    monkeypatch.setattr(cuda_graph, "_free_streams", [])
    cuda_graph._stream_without_workspaces.cache_clear()
    device = torch.device("cuda")
    steps = [GraphedStep(device, has_products=number < 2) for number in range(4)]
    assert not created, "a step that never runs takes none"
    for step in steps:
        step(lambda: None, key=1)
    assert len(set(used)) == len(created) == 3
    assert used[2] is used[3]
    steps[0].release()
    GraphedStep(device)(lambda: None, key=1)
    assert used[-1] is used[0], "torch has no more than 32"
    cuda_graph._stream_without_workspaces.cache_clear()
