"""Grids of this program that were not run as a whole: their design, space and claims."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.claims.list_claims import list_claims, select_claims
from analysis.data.cut_grid import identify_cut_grid, narrow_to_run
from analysis.data.study import load_study
from analysis.findings.analyze_study import analyze_study
from study.records.study_folder import StudyFolder
from study.search.grid_design import grid_point
from study.spec.parse_space import parse_space
from study.spec.space import Space
from tests.analysis.conftest import write_study

_SPACE = parse_space(
    (
        "field.depth=2,4,6",
        "encoding.position_frequencies=4:8:step=2",
        "field.density_activation=relu,softplus",
    ),
    {},
)


def _run(space: Space, cells: int) -> pd.DataFrame:
    points = [grid_point(space, index) for index in range(cells)]
    return pd.DataFrame(points).assign(phase="explore")


def test_a_whole_grid_needs_no_words() -> None:
    trials = _run(_SPACE, 18)
    assert identify_cut_grid({"design": "grid"}, _SPACE, trials) is None
    assert identify_cut_grid({}, _SPACE, trials.iloc[:9]) is None


def test_a_cut_grid_names_what_was_never_run() -> None:
    trials = _run(_SPACE, 8)
    design = identify_cut_grid({"design": "grid"}, _SPACE, trials)
    assert design is not None
    assert not design.is_even
    depth = _SPACE.dimensions[0].label
    assert design.evidence == (
        f"8 of its 18 combinations were run, each once; never run: {depth} 6"
    )
    assert narrow_to_run(_SPACE, trials).dimensions[0].choices == (2, 4)


def test_a_parameter_of_which_one_value_was_run_is_fixed() -> None:
    narrowed = narrow_to_run(_SPACE, _run(_SPACE, 5))
    assert [d.path for d in narrowed.dimensions] == [d.path for d in _SPACE.dimensions[1:]]
    assert dict(narrowed.fixed)["field.depth"] == 2


def test_claims_of_a_cut_grid_say_which_combinations_were_run(tmp_path: Path) -> None:
    vary = tuple(str(d).replace(" in ", "=").replace(", ", ",") for d in _SPACE.dimensions[::2])
    folder = write_study(
        StudyFolder(tmp_path / "grid"), explore=4, optimize=0, vary=vary,
        objective=lambda values: 20.0 + float(values["field.depth"]),
    )  # fmt: skip
    document = folder.read_spec()
    document["spec"]["design"] = "grid"
    folder.write_spec(document)
    study = load_study(folder)
    assert study.design is not None
    (claim,) = select_claims(list_claims(analyze_study(study)), "design")
    assert claim.text.startswith("The trials are a grid with gaps or repeats: ")
    assert "of its 6 combinations were run" in claim.text
