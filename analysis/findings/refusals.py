"""Names runs as trials in refusals, for sweeps of other tools."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypeVar

from analysis.data.study import Study
from analysis.importance.over_time import SharesOverTime
from analysis.importance.ped_anova import PedAnova
from analysis.importance.shares import Importance

_Result = TypeVar("_Result", Importance, PedAnova, SharesOverTime)


def name_runs(study: Study, result: _Result) -> _Result:
    """The result with its refusal in the words of the study's tool: other tools run trials."""
    if study.is_native:
        return result
    return replace(result, refusal=re.sub(r"\brun(s?)\b", r"trial\1", result.refusal))
