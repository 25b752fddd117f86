"""What GraphedStep's module does without a graph; test_fake_cuda.py tests the graphs."""

from __future__ import annotations

import pytest
import torch

from nerf.training.cuda_graph import release_cached_memory


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
