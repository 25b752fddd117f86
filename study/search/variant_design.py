"""Design of a study of variants: each in turn, repeat by repeat.

A study that stops early so has whole blocks, in which every variant has the same seed.
"""

from __future__ import annotations

from nerf.config.parameters import Value
from study.spec.study_spec import StudySpec
from study.spec.variants import variant_values


def variant_point(spec: StudySpec, index: int) -> dict[str, Value]:
    """The values of the `index`-th trial of the variant phase."""
    return variant_values(spec.variants[index % len(spec.variants)], spec.space)
