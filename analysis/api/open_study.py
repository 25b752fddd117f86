"""Reads a study from whatever holds it: a study folder, a URL, or another tool's file or folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analysis.data.study import Study, load_study
from analysis.external.question import Question
from analysis.external.read_study import read_external_study
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.limits import limit_parameters
from analysis.findings.other_readings import add_effects
from nerf.common.errors import InputError
from study.records.study_folder import StudyFolder
from study.spec.storage_url import is_url


@dataclass(frozen=True)
class OpenedStudy:
    """A study that has been read, and what is needed to analyse it as `report.py` does.

    other_readings: place in `study.assumed` -> the study under the other reading of what another
    tool's record leaves open there
    is_download: whether its folder is a temporary copy of a URL
    """

    study: Study
    other_readings: Mapping[int, Study] = field(default_factory=dict)
    is_download: bool = False

    def analyze(self) -> Findings:
        """All findings, with the effect of each open decision on the headline."""
        findings = analyze_study(self.study)
        return add_effects(findings, self.other_readings)


def open_study(place: Path | str, question: Question | None = None, scene: str = "") -> OpenedStudy:
    """Reads the study or sweep at `place`, finished or not.

    Args:
        place: a study folder, the s3:// or gs:// URL of its copy, or what `read_external_study`
            reads.
        question: decides what another tool's record leaves open.
        scene: the label of one, of a study of several scenes.

    Raises:
        InputError: there is no study, or a question was asked of a study of this program.
    """
    question = question or Question()
    is_download = isinstance(place, str) and is_url(place)
    path = _with_name(Path(place).expanduser())
    if not is_download and not path.exists():
        raise InputError(
            f"{place} does not exist, seen from {Path.cwd()}; give a study folder, its URL, or "
            "another tool's record (Optuna storage, Ray Tune or MLflow folder, table of runs)"
        )
    if is_download or StudyFolder(path).spec_file.exists() or _is_empty_folder(path):
        study = load_study(place if is_download else path, scene)
        if question != Question():
            raise InputError(
                f"{place} is a study of this program; --metric, --prior and the like are for "
                "sweeps of other tools: leave them out, or report on those alone"
            )
        return OpenedStudy(study, is_download=is_download)
    external = read_external_study(path, question)
    others = {number: limit_parameters(s) for number, s in external.other_readings.items()}
    return OpenedStudy(limit_parameters(external.study), others)


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _with_name(path: Path) -> Path:
    """The same path with a name at its end, which "." and ".." are not: reports are named by it."""
    return path.resolve() if path.name in ("", "..") else path
