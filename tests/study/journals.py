"""Large studies made in a moment: one trial's journal and record, repeated."""

from __future__ import annotations

import json

from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.protocol.messages import Message, Outcome
from study.records.schema import trial_id
from study.records.study_folder import StudyFolder
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from tests.study.trials import curve

STEPS = 60


def write_study(folder: StudyFolder, trials: int, planned: int = 0, scene: str = "bricks") -> None:
    """A study of so many completed trials, of `planned` in all, each with twelve evaluations."""
    spec = StudySpec(
        space=study_space([], [], STEPS),
        scene=scene,
        explore=max(planned, trials),
        optimize=0,
        replicates=0,
        steps=STEPS,
    )
    ledger = Ledger(folder, spec)
    manager = TrialManager(folder, ledger, ())
    assignment = manager.next_trial()
    assert assignment
    outcome = Outcome("completed", steps_done=STEPS, value=20.0, host="here", device="a CPU")
    points = curve(*(10.0 + k for k in range(12)))
    manager.on_report(Message(0, "here", "a CPU", points, outcome))
    ledger.close()
    header, *lines = folder.journal.read_text().splitlines(keepends=True)
    blocks = [
        line.replace('"trial_id":0,', f'"trial_id":{i},') for i in range(trials) for line in lines
    ]
    folder.journal.write_text(header + "".join(blocks))
    record = json.loads(folder.record_file("00000").read_text())
    for number in range(1, trials):
        row = record["trial"] | {"number": number, "trial_id": trial_id(number)}
        text = json.dumps({**record, "trial": row})
        folder.record_file(trial_id(number)).write_text(text)
    document = {"schema": 1, "spec": spec.to_json(), "space": spec.space.to_json(), "scene": {}}
    folder.write_spec(document)
