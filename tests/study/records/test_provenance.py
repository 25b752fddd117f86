"""The hash of the training code: what changes it, and what does not."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import nerf
from nerf.scenes.scene import Scene
from study.records.provenance import (
    NOT_IN_TRAINING,
    changes_since,
    hash_training_code,
    study_document,
)
from study.spec.study_spec import StudySpec

NERF = Path(nerf.__file__).parent


@pytest.fixture
def hash_with(tmp_path: Path) -> Callable[[str, str, str], str]:
    """Replaces a text in a file of a copy of nerf/, and returns the hash of the copy."""
    copy = tmp_path / "nerf"
    shutil.copytree(NERF, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def replace_and_hash(file: str, old: str, new: str) -> str:
        text = (copy / file).read_text()
        assert old in text
        (copy / file).write_text(text.replace(old, new, 1))
        return hash_training_code(copy)

    return replace_and_hash


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("training/loop.py", "import", "# a comment\nimport", id="comment"),
        pytest.param("training/loop.py", '"""', '"""Changed. ', id="module docstring"),
        pytest.param("config/schema.py", 'Doc("', 'Doc("Changed. ', id="description"),
        pytest.param(
            "config/schema.py", "class NerfConfig:\n", 'class NerfConfig:\n    ""\n', id="string"
        ),
        pytest.param("common/errors.py", "n=1, cutoff=0.5", "n=1,  cutoff=0.5", id="formatting"),
        pytest.param("video.py", "import", "import this\nimport", id="video"),
        pytest.param("common/command_line.py", "repeatable", "as often as you like", id="help"),
    ],
)
def test_documentation_and_other_rooms_do_not_change_the_hash(
    hash_with: Callable[[str, str, str], str], file: str, old: str, new: str
) -> None:
    assert hash_with(file, old, new) == hash_training_code()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("common/errors.py", "cutoff=0.5", "cutoff=0.6"),
        ("config/schema.py", "_require(", "_demand("),
        ("scenes/scene.py", "self.", "self.other."),
        ("evaluation/metrics.py", "import", "import this\nimport"),
    ],
)
def test_any_other_change_of_the_training_code_changes_the_hash(
    hash_with: Callable[[str, str, str], str], file: str, old: str, new: str
) -> None:
    assert hash_with(file, old, new) != hash_training_code()


def test_training_imports_no_code_that_the_hash_leaves_out() -> None:
    names = [f"nerf.{file.removesuffix('.py').replace('/', '.')}" for file in NOT_IN_TRAINING]
    assert all(importlib.util.find_spec(name) for name in names)
    code = "import sys, nerf.training.loop, nerf.scenes, nerf.config.flat; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=NERF.parent, capture_output=True, text=True, check=True
    )
    # These name a cache file, show progress and word an error.
    harmless = {f"nerf.common.{name}" for name in ("code_hash", "progress", "commands")}
    assert {*names} & {*done.stdout.split()} == harmless


def test_a_renamed_file_changes_the_hash(tmp_path: Path) -> None:
    copy = shutil.copytree(NERF, tmp_path / "nerf")
    (copy / "model" / "field.py").rename(copy / "model" / "other.py")
    assert hash_training_code(copy) != hash_training_code()


def test_the_code_of_an_earlier_version_cannot_be_compared(ball: Scene, spec: StudySpec) -> None:
    document = study_document("one", spec, {"": ball}, ["run_sweep.py"])
    assert changes_since(document, spec) == []
    earlier = {key: value for key, value in document.items() if key != "training_code"}
    (change,) = changes_since({**earlier, "code": "83410d200f8c480b"}, spec)
    assert "an earlier version of this program created it" in change
