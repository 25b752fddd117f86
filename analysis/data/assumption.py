"""What another tool's record leaves open, as it was assumed for an analysis."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Assumption:
    """One decision that the record does not make.

    text: what was assumed, without a full stop
    option: the option of `report.py` that changes it, such as `--prior lr=1e-05:0.1:log`; empty if
    none does
    effect: what becomes of the headline under the other reading, if that was computed
    """

    text: str
    option: str = ""
    effect: str = ""

    @property
    def is_decisive(self) -> bool:
        """Whether the other reading changes the headline."""
        return self.effect.startswith("THE HEADLINE CHANGES")

    @property
    def is_on_direction(self) -> bool:
        """Whether it says which end of the metric is good."""
        return self.option.startswith("--direction")

    def __str__(self) -> str:
        option = f" (change by {self.option})" if self.option else ""
        effect = f"; {self.effect}" if self.effect else ""
        return f"{self.text}{option}{effect}"
