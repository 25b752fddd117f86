"""Settings from a TOML file, and what is refused in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerf.common.errors import InputError
from nerf.config.settings import read_settings
from study.trainers.program.parameter_file import read_parameter_file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("field.width = 'wide'", "field.width must be"),
        ("field.widht = 32", "unknown parameter 'field.widht'; did you mean field.width?"),
        ("field.width = ", "cannot be read as TOML"),
    ],
)
def test_settings_in_a_file_are_checked(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        read_settings(file)
    assert str(file) in str(raised.value)
    assert message in str(raised.value)


def test_a_file_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    with pytest.raises(InputError) as raised:
        read_settings(file)
    assert str(raised.value) == f"{file} cannot be read: No such file or directory"
    with pytest.raises(InputError) as raised:
        read_parameter_file(file)
    assert str(raised.value) == (
        f"--parameter-file {file} cannot be read: No such file or directory"
    )
