"""A disk that fills up in the middle of a study: a clean stop that says so, and a way on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from study import run_sweep
from study.records.study_folder import StudyFolder
from tests.study.sweeps import TINY, start, wait_for

STEPS = 1200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"0" * 65536):
                pass
        except OSError:
            pass
    return filler


def test_no_study_is_begun_on_a_full_disk(
    small_disk: Path, scene_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(small_disk)
    asked = ["--studies", str(small_disk), "--name", "none", "--scene", str(scene_file)]
    assert run_sweep.main(asked) == 2
    assert "is full: less than 32 MB are free" in capsys.readouterr().err
    assert [file.name for file in small_disk.iterdir()] == ["filler"]


@pytest.mark.slow
def test_it_stops_says_so_and_goes_on_when_there_is_room(
    small_disk: Path, scene_file: Path
) -> None:
    folder = StudyFolder(small_disk / "filled")
    place = ["--studies", str(small_disk), "--name", "filled"]
    asked = ["--scene", str(scene_file), "--explore=3", "--optimize=0", f"--steps={STEPS}", *TINY]
    driver = start(*place, *asked, "--set=evaluation.times=12", cwd=small_disk.parent)
    wait_for(driver, lambda: any((folder.path / "checkpoints").glob("*.pt")))
    filler = fill(small_disk)
    said, _ = driver.communicate(timeout=120)
    assert driver.returncode == 2, said
    assert "Traceback" not in said
    assert "stopped: the disk is full; fix that, then resume with: " in said
    filler.unlink()
    resumed = start(*place, "--resume", cwd=small_disk.parent)
    said, _ = resumed.communicate(timeout=400)
    assert resumed.returncode == 0, said
    table = folder.read_trials()
    assert list(table["number"]) == [0, 1, 2]
    assert "failed" not in set(table["state"])
