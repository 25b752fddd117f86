"""Settings from a TOML file, and what is refused in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nerf.common.errors import InputError
from nerf.config.settings import read_settings


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
