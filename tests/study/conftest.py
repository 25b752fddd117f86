"""An empty study folder, a small study for it and its ledger; and which signals tests pass on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nerf.scenes import Scene, load
from study.ledger.ledger import Ledger
from study.records.study_folder import StudyFolder
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec


@pytest.fixture(scope="session", autouse=True)
def hang_up_is_not_inherited_as_ignored() -> None:
    """Lets processes of tests receive SIGHUP, though `nohup pytest` itself ignores it.

    An ignored signal stays ignored in every process started from here; a handled one does not.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(scope="session")
def loaded_scene(scene_file: Path) -> Scene:
    return load(str(scene_file))


@pytest.fixture
def scene_loaded_once(loaded_scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans find the scene in memory: its visual hull takes a second."""
    for name in ("load", "load_saved"):
        monkeypatch.setattr(f"study.cli.load_scenes.{name}", lambda *_, **__: loaded_scene)


@pytest.fixture
def spec() -> StudySpec:
    """Three explored and four optimised trials of 90 steps."""
    space = study_space(["sampling.near", "field.width=16:128", "field.density_activation"], [], 90)
    return StudySpec(space=space, explore=3, optimize=4, replicates=0, steps=90)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path / "a study")


@pytest.fixture
def open_ledger(folder: StudyFolder, spec: StudySpec) -> Iterator[Callable[[], Ledger]]:
    """Opens the folder's ledger, as a driver does that finds the last one dead."""
    opened: list[Ledger] = []

    def open_now() -> Ledger:
        for ledger in opened:
            ledger.close()
        opened.append(Ledger(folder, spec))
        return opened[-1]

    yield open_now
    for ledger in opened:
        ledger.close()
