from __future__ import annotations

from collections.abc import Iterator

import jaxtyping
import pytest


@pytest.fixture(scope="module")
def unchecked_shapes() -> Iterator[None]:
    """Turns off shape checks, half the time of a small training step, for a file of long runs.

    Other files run the same code with them.
    """
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
