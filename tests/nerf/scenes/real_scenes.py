"""Real scenes, which are not part of the repository: a folder named by NERF_STUDY_DATA."""

from __future__ import annotations

import os

import pytest

REAL_SCENES = os.environ.get("NERF_STUDY_DATA", "")

needs_real_scenes = pytest.mark.skipif(
    not REAL_SCENES, reason="NERF_STUDY_DATA names no folder of real scenes"
)
