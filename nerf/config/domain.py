"""How a configuration field may vary: pure data, shared by every package."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nerf.common.errors import InputError


@dataclass(frozen=True)
class Domain:
    """The closed range a number may be drawn from; the widest a study may ask for.

    `log` draws uniformly in the logarithm. Whether the number is an integer follows from the
    type of the field that carries the domain. Raises `InputError` for an empty or infinite
    range, and for a logarithmic one that reaches zero.
    """

    low: float
    high: float
    log: bool = False
    unit: str = ""
    label: str = ""

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
