"""What the command writes: file names with their suffix, a comparison in every format."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.claims.claim import Claim
from analysis.pages.output_files import add_suffix, write_claims_table


@pytest.mark.parametrize(
    ("given", "kind", "file"),
    [
        ("X", "html", "X.html"),
        ("X.html", "html", "X.html"),
        ("v1.2", "json", "v1.2.json"),
        ("folder", "md", "folder/comparison.md"),
    ],
)
def test_a_file_gets_the_suffix_of_its_format(
    given: str, kind: str, file: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    assert add_suffix(tmp_path / given, kind) == tmp_path / file


def test_a_file_is_written_again_beside_the_folder_of_its_figures(tmp_path: Path) -> None:
    (tmp_path / "X").mkdir()
    (tmp_path / "X.html").touch()
    assert add_suffix(tmp_path / "X", "html") == tmp_path / "X.html"


def test_claims_about_several_studies_are_a_table(tmp_path: Path) -> None:
    claim = Claim(
        "breaks_pair_across", ("a=1", "b=2"), 0.5, 0.2, 0.8, "fraction", 9, 0.95, "", "It breaks."
    )
    path = write_claims_table([claim], "csv", tmp_path / "X.csv")
    head, row = path.read_text().splitlines()
    assert head.startswith("kind,parameters,estimate,")
    assert row.startswith("breaks_pair_across,a=1 b=2,0.5,")
