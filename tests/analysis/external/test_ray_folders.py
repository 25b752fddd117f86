"""The search for Ray Tune's trials: where it looks, where it ends, and what it says of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.external import ray_folders
from analysis.external.identify import read_sweeps
from analysis.external.ray_folders import find_trial_folders
from nerf.common.errors import InputError
from tests.analysis.external.ray_files import falling, write_ray_trial


def write_trial(experiment: Path) -> None:
    write_ray_trial(experiment, 0, {"lr": 0.1}, falling(1))


def test_trials_are_found_up_to_four_levels_down_and_in_hidden_folders(tmp_path: Path) -> None:
    for experiment in ("a/b/c", ".hidden", "a/b/c/d"):
        write_trial(tmp_path / experiment)
    found = find_trial_folders(tmp_path)
    experiments = [folder.parent.relative_to(tmp_path).as_posix() for folder in found.trials]
    assert experiments == [".hidden", "a/b/c"]
    assert found.list_left_out() == [
        "1 folder and what is below, as the search ends 4 levels down or after 10000 folders"
    ]


def test_what_was_not_looked_into_is_named_beside_what_was_found(tmp_path: Path) -> None:
    write_trial(tmp_path / "exp")
    (tmp_path / "link").symlink_to(tmp_path / "exp")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    (tmp_path / "loop").symlink_to("loop")
    (sweep,) = read_sweeps(tmp_path)
    assert sweep.left_out == ("1 symbolic link to folders",)


def test_a_huge_folder_is_refused_with_how_far_the_search_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_folders, "_MAX_FOLDERS", 20)
    for number in range(30):
        (tmp_path / f"{number:02}").mkdir()
    with pytest.raises(InputError) as refusal:
        read_sweeps(tmp_path)
    assert "(20 folders were looked into, down to 4 levels; not into 11 folders and what is" in str(
        refusal.value
    )


def test_trials_do_not_count_as_folders_that_were_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_folders, "_MAX_FOLDERS", 3)
    for number in range(5):
        write_ray_trial(tmp_path / "exp", number, {"lr": number}, falling(1))
    found = find_trial_folders(tmp_path)
    assert (len(found.trials), found.deeper) == (5, 0)
