"""The study that a command without `--name` means: the only one in the folder of studies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nerf.common.errors import InputError
from study.ledger.lock import holder
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec

_MAX_LISTED = 6


def only_unfinished_study(studies: Path) -> StudyFolder:
    """The only study of which trials are left and that no process runs.

    Raises `InputError` that lists the candidates where there are several or none.
    """
    unfinished = [f for f in _list_studies(studies) if not _is_finished(f)]
    idle = [folder for folder in unfinished if not _is_running(folder)]
    if len(idle) == 1:
        return idle[0]
    if not unfinished:
        raise InputError(
            f"no study in {studies} has trials left to run; add trials to one by --name NAME "
            "--extend N, or name another folder by --studies"
        )
    if not idle:
        raise InputError(f"a process is running {_describe(unfinished)}; wait until it ends")
    raise InputError(f"--resume needs --name: trials are left of {_describe(idle)}")


def only_study(studies: Path) -> StudyFolder:
    """The only study in the folder; raises `InputError` that lists them where there are others."""
    folders = _list_studies(studies)
    if len(folders) == 1:
        return folders[0]
    if not folders:
        raise InputError(f"there is no study in {studies}; name its parent by --studies")
    raise InputError(f"--extend needs --name, one of {_describe(folders)}")


def _list_studies(studies: Path) -> list[StudyFolder]:
    """The studies that ran in this folder, the newest first; copies without a journal cannot run.

    A study.json of another version is left out, too; naming it says why.
    """
    files = sorted(studies.glob("*/optuna.journal"), key=lambda f: f.stat().st_mtime, reverse=True)
    folders = [StudyFolder(file.parent) for file in files]
    return [folder for folder in folders if _planned(folder)]


def _planned(folder: StudyFolder) -> int:
    """The number of its trials; 0 if its study.json cannot be read."""
    try:
        return StudySpec.from_json(folder.read_spec()).trials
    except InputError:
        return 0


def _is_finished(folder: StudyFolder) -> bool:
    return StudySpec.from_json(folder.read_spec()).is_finished(folder.count_records())


def _is_running(folder: StudyFolder) -> bool:
    driver = holder(folder)
    return driver is not None and not driver.is_dead()


def _describe(folders: Sequence[StudyFolder]) -> str:
    texts = [f"{f.name} ({f.count_records()}/{_planned(f)} trials)" for f in folders[:_MAX_LISTED]]
    more = [f"and {len(folders) - _MAX_LISTED} more"] if len(folders) > _MAX_LISTED else []
    return ", ".join([*texts, *more])
