"""The range that a study may search for a number."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nerf.common.errors import InputError


@dataclass(frozen=True)
class Domain:
    """A closed range that a study may draw a number from, or narrow.

    With `log` the number is drawn uniformly in its logarithm. Whether it is an integer follows
    from the type of the field with this domain. Raises `InputError` for an empty or infinite
    range, and for a logarithmic one with low <= 0.
    """

    low: float
    high: float
    log: bool = False
    unit: str = ""
    label: str = ""
    when: str = ""
    """The condition under which the number acts, `encoding.kind == 'hash'`; empty for always."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError(
                f"a domain needs finite low < high, got {self.low:g}:{self.high:g}; write LOW:HIGH"
            )
        if self.log and self.low <= 0:
            raise InputError(
                f"a logarithmic domain needs low > 0, got {self.low:g}:{self.high:g}; raise low"
            )

    def __str__(self) -> str:
        scale = " (log)" if self.log else ""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.low:g}:{self.high:g}{scale}{unit}"
