"""One thread for linear algebra: the same digits on every machine, and no time lost.

Sums over threads round differently with their number. The matrices of an analysis are so small that
threads cost more than they gain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_threaded() -> Iterator[None]:
    """A context in which BLAS runs in one thread."""
    import scipy.linalg  # noqa: F401  loads a BLAS of its own, which must be there to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield
