"""Rules by which a trial has collapsed: `--collapse "loss>10@50"`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nerf.common.errors import InputError

_RULE = re.compile(r"\s*([A-Za-z_]\w*)\s*([<>])\s*([^@\s]+)\s*(?:@\s*(\d+)\s*)?")


@dataclass(frozen=True)
class CollapseRule:
    """A metric above or below a limit, from a step on."""

    metric: str
    above: bool
    limit: float
    from_step: int = 0

    def explain(self, step: int, metrics: Mapping[str, float]) -> str:
        """Why a trial with these metrics has collapsed; empty if it has not."""
        value = metrics.get(self.metric)
        if value is None or step < self.from_step:
            return ""
        broken = value > self.limit if self.above else value < self.limit
        sign = ">" if self.above else "<"
        return f"{self.metric} {value:.4g} {sign} {self.limit:g} at step {step}" if broken else ""


def parse_rule(text: str) -> CollapseRule:
    """Parses `METRIC>LIMIT` or `METRIC<LIMIT`, with `@STEP` for steps from that one on."""
    matched = _RULE.fullmatch(text)
    try:
        limit = float(matched[3]) if matched else math.nan
    except ValueError:
        limit = math.nan
    if matched is None or not math.isfinite(limit):
        raise InputError(
            f"--collapse must be METRIC>LIMIT or METRIC<LIMIT, with @STEP if only from a step on; "
            f"got {text!r}"
        )
    return CollapseRule(matched[1], matched[2] == ">", limit, int(matched[4] or 0))
