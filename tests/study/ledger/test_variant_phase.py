"""The variant phase in the ledger: blocks of all variants with one seed, also after a damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.ledger.ledger import Ledger
from study.protocol.messages import Assignment, Outcome
from study.records.study_folder import StudyFolder
from study.search.sobol_design import trial_seed
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.spec.variants import Variant

VARIANTS = (
    Variant("complete"),
    Variant("shallow", (("field.depth", 2),)),
    Variant("wide", (("field.width", 64),)),
)
SPACE = study_space((), ("field.width=16",), 10, VARIANTS)
SPEC = StudySpec(SPACE, explore=0, optimize=0, replicates=0, variants=VARIANTS, repeats=2, steps=10)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path / "study")


def ask_all(folder: StudyFolder) -> list[Assignment]:
    ledger = Ledger(folder, SPEC)
    assignments = list(iter(ledger.ask, None))
    ledger.close()
    return assignments


def test_the_repeats_of_all_variants_share_a_seed(folder: StudyFolder) -> None:
    assignments = ask_all(folder)
    assert [a.seed for a in assignments] == [trial_seed(0, 0)] * 3 + [trial_seed(0, 1)] * 3
    depths = [SPACE.config(a.values).field.depth for a in assignments]
    assert depths == [4, 2, 4] * 2
    assert not any(a.may_be_pruned for a in assignments)


def test_a_lost_journal_is_rebuilt_from_the_records(folder: StudyFolder) -> None:
    assignments = ask_all(folder)
    records = [
        {
            "trial": Outcome("completed", "", 10, 20.0).to_row("psnr")
            | {"number": a.number, "phase": a.phase, "seed": a.seed}
            | a.values,
            "curve": [],
        }
        for a in assignments[:4]
    ]
    folder.journal.unlink()
    ledger = Ledger(folder, SPEC)
    assert ledger.restore(records) == [0, 1, 2, 3]
    again = [ledger.assignment(trial) for trial in ledger.trials()]
    again += list(iter(ledger.ask, None))
    ledger.close()
    assert [(a.seed, a.values) for a in again] == [(a.seed, a.values) for a in assignments]
