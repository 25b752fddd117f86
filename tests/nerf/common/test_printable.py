from __future__ import annotations

import pytest

from nerf.common.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b.png", "a b.png"),
        ("日本 ü.jpg", "日本 ü.jpg"),
        ("a\nb", r"a\nb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\udcff.png", r"\udcff.png"),
    ],
)
def test_what_a_terminal_does_not_show_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
