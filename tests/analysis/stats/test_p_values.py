"""P-values in sentences."""

from __future__ import annotations

import pytest

from analysis.stats.p_values import format_p_value


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "p < 1e-06"), (9e-7, "p < 1e-06"), (0.01234, "p = 0.012"), (1.0, "p = 1")]
)
def test_no_p_value_is_zero(p: float, text: str) -> None:
    assert format_p_value(p) == text
