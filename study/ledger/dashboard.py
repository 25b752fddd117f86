"""What optuna-dashboard shows of a study beyond what Optuna itself stores.

The dashboard reads these attributes by keys of its own (`_note.py`, `_custom_plot_data.py` and
`artifact/` in its package), so that nothing of it is needed to write them.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial

from study.protocol.messages import Outcome
from study.records.schema import STATES
from study.search.trial_values import latest_value
from study.trainers.objective import Objective

# Colour and symbol of each state.
_MARKERS = {
    "completed": ("#2a6fbb", "circle"),
    "collapsed": ("#c62828", "x"),
    "pruned": ("#9e9e9e", "triangle-down"),
    "failed": ("#000000", "cross"),
}
_PLOT = "dashboard:plot_data:outcomes:"
_LONGEST = 2045  # characters of one attribute


def name_metrics(study: Study, objectives: Sequence[Objective]) -> None:
    """Names the study's metrics, unless they have names; in an earlier version's journal, too."""
    if study.metric_names is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names([objective.title for objective in objectives])


def attach_render(study: Study, trial: FrozenTrial, render: Path) -> None:
    """Shows a running trial's render on its page.

    The dashboard reads artifacts from one folder, by ids that look like hexadecimal numbers; a link
    there spares a copy.
    """
    artifact = render.parents[1] / "artifacts" / render.stem
    artifact.parent.mkdir(exist_ok=True)
    artifact.unlink(missing_ok=True)
    artifact.symlink_to(Path("..", render.parent.name, render.name))
    meta = {"artifact_id": artifact.name, "filename": render.name, "mimetype": "image/png"}
    text = json.dumps({**meta, "encoding": None})
    study._storage.set_trial_system_attr(trial._trial_id, f"artifacts:{artifact.name}", text)


def attach_note(study: Study, trial: FrozenTrial, outcome: Outcome) -> None:
    """Says at the top of a trial's page that it did not complete, and why.

    For Optuna a trial that collapsed is a pruned or even a completed one. A note that a person has
    written there stays.
    """
    version = f"dashboard:{trial._trial_id}:note_ver"
    written = study._storage.get_study_system_attrs(study._study_id)
    if outcome.state == "completed" or version in written:
        return
    text = f"**{outcome.state}** {outcome.reason}".rstrip()[:_LONGEST]
    _set(study, {f"dashboard:{trial._trial_id}:note_str:0": text, version: 1})


def plot_outcomes(study: Study, trials: Sequence[FrozenTrial], objective: Objective) -> None:
    """Puts a plot of all ended trials on the study's page, with a colour for each state."""
    traces = [_trace(state, trials, objective) for state in STATES]
    layout = {
        "title": {"text": "Trials by state"},
        "xaxis": {"title": {"text": "Trial"}},
        "yaxis": {"title": {"text": objective.title}},
        "hovermode": "closest",
    }
    figure = {"data": [trace for trace in traces if trace], "layout": layout}
    text = json.dumps(figure, allow_nan=False)
    parts = [text[at : at + _LONGEST] for at in range(0, len(text), _LONGEST)]
    written = study._storage.get_study_system_attrs(study._study_id)
    if "".join(str(written.get(f"{_PLOT}{i}", "")) for i in range(len(parts))) == text:
        return
    longer = sum(key.startswith(_PLOT) for key in written) - len(parts)
    parts += [""] * longer
    _set(study, {f"{_PLOT}{i}": part for i, part in enumerate(parts)})


def _trace(
    state: str, trials: Sequence[FrozenTrial], objective: Objective
) -> dict[str, Any] | None:
    """The trials in one state; None where the metric of none is known."""
    those = [trial for trial in trials if trial.user_attrs.get("state") == state]
    measured = ((trial, latest_value(trial)) for trial in those)
    points = [(t, value) for t, value in measured if value is not None and math.isfinite(value)]
    if not points:
        return None
    colour, symbol = _MARKERS[state]
    unknown = len(those) - len(points)
    missing = f", {unknown} of them without {objective.label}" if unknown else ""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{state}: {len(those)}{missing}",
        "x": [trial.number for trial, _ in points],
        "y": [float(objective.number(value)) for _, value in points],
        "text": [trial.user_attrs["reason"] for trial, _ in points],
        "marker": {"color": colour, "symbol": symbol, "size": 8},
    }


def _set(study: Study, attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        study._storage.set_study_system_attr(study._study_id, key, value)
