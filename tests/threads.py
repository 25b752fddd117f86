"""Results as they are with several numbers of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

Result = TypeVar("Result")


def with_threads(compute: Callable[[], Result], *threads: int) -> list[Result]:
    """What `compute` returns with each number of threads."""
    results = []
    for number in threads:
        with threads_set_to(number):
            results.append(compute())
    return results


@contextmanager
def threads_set_to(number: int) -> Iterator[None]:
    """Lets torch compute with so many threads within the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
