from __future__ import annotations

from pathlib import Path

import pytest

from nerf.common.code_hash import hash_code

CODE = '"""What it does."""\n\n\ndef double(x):\n    """Twice x."""\n    return 2 * x\n'


def hash_of(text: str, folder: Path, name: str = "module.py") -> str:
    file = folder / name
    file.write_text(text)
    return hash_code([file], folder)


@pytest.mark.parametrize(
    ("old", "new"), [("What it does", "Other"), ("2 * x", "2*x  # a comment"), ("Twice x", "")]
)
def test_documentation_and_formatting_do_not_change_it(tmp_path: Path, old: str, new: str) -> None:
    assert hash_of(CODE.replace(old, new), tmp_path) == hash_of(CODE, tmp_path)


@pytest.mark.parametrize(("old", "new"), [("2 * x", "3 * x"), ("double", "triple")])
def test_code_changes_it(tmp_path: Path, old: str, new: str) -> None:
    assert hash_of(CODE.replace(old, new), tmp_path) != hash_of(CODE, tmp_path)


def test_the_name_of_a_file_changes_it_and_its_folder_does_not(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert hash_of(CODE, elsewhere) == hash_of(CODE, tmp_path)
    assert hash_of(CODE, tmp_path, "other.py") != hash_of(CODE, tmp_path)
