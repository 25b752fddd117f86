from __future__ import annotations

import argparse

import pytest

from nerf.common.command_line import Parser, add_scene_options, exit_status
from nerf.common.errors import InputError


def scene_parser() -> Parser:
    parser = Parser("Trains.")
    add_scene_options(parser)
    return parser


def test_scene_options_are_none_unless_they_are_on_the_command_line() -> None:
    options = scene_parser().parse([])
    assert set(vars(options)) == {"scene", "downscale", "background", "follow_links", "set"}
    assert set(vars(options).values()) == {None}
    options = scene_parser().parse(
        ["--scene", "bricks", "--set", "seed=1", "--set", "field.skip=2"]
    )
    assert (options.scene, options.set) == ("bricks", ["seed=1", "field.skip=2"])


def test_scene_options_fit_a_group_and_a_parser_that_suppresses_defaults() -> None:
    parser = Parser("Trains.", argument_default=argparse.SUPPRESS)
    add_scene_options(parser.add_argument_group("scene and parameters"))
    assert vars(parser.parse(["--downscale", "2"])) == {"downscale": 2}


def test_a_misspelt_option_names_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"unknown option --scen; did you mean --scene\?"):
        scene_parser().parse(["--scen=bricks"])


def test_an_unknown_short_option_is_named_before_what_is_missing() -> None:
    parser = Parser("Trains.")
    parser.add_argument("run")
    with pytest.raises(InputError, match=r"unknown option -x.*--help lists all options"):
        parser.parse(["-x"])


def test_a_negative_number_is_a_value() -> None:
    parser = Parser("Trains.")
    parser.add_argument("--seed", type=float)
    assert parser.parse(["--seed", "-1"]).seed == -1


def test_a_stray_word_is_named_with_its_remedy() -> None:
    with pytest.raises(InputError, match=r"unexpected argument 'lego'; put its option before it"):
        scene_parser().parse(["--scene", "tiny", "lego"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--steps", "many"], "--steps must be a whole number such as 10, got 'many'"),
        (["--steps", "1.5"], "--steps must be a whole number such as 10, got '1.5'"),
        (["--rate", "fast"], "--rate must be a number such as 0.5, got 'fast'"),
        (["--rate", "nan"], "--rate must be a number such as 0.5, got 'nan'"),
        (["--steps"], "--steps needs a value: --steps N (--help says which)"),
        (["--tool", "pgn"], "--tool must be one of png, svg; got 'pgn'; did you mean png?"),
        (["--gpu", "2"], "--gpu must be one of 0, 1; got '2'"),
        (["--plain=yes"], "--plain takes no value, got 'yes'; write --plain alone"),
        (["--limit", "0"], "--limit must be above 0, got '0'"),
        ([], "run is missing; --help shows what this command needs"),
    ],
)
def test_a_wrong_value_is_named_with_its_remedy(arguments: list[str], message: str) -> None:
    parser = Parser("Trains.")
    group = parser.add_argument_group("values")
    group.add_argument("--steps", type=int, metavar="N")
    group.add_argument("--rate", type=float)
    group.add_argument("--tool", choices=("png", "svg"))
    group.add_argument("--gpu", type=int, choices=(0, 1))
    group.add_argument("--plain", action="store_true")
    group.add_argument("--limit", type=above_zero)
    if not arguments:
        parser.add_argument("run")
    with pytest.raises(InputError) as refusal:
        parser.parse(arguments)
    assert str(refusal.value) == message


def above_zero(text: str) -> int:
    if int(text) <= 0:
        raise argparse.ArgumentTypeError(f"must be above 0, got {text!r}")
    return int(text)


def test_what_follows_two_dashes_is_not_an_option() -> None:
    assert scene_parser().parse(["--scene", "lego", "--"]).scene == "lego"
    parser = Parser("Reports.")
    parser.add_argument("studies", nargs="+")
    assert parser.parse(["--", "--odd", "even"]).studies == ["--odd", "even"]
    with pytest.raises(InputError, match="unexpected argument '--nope'"):
        scene_parser().parse(["--", "--nope"])


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (InputError("near < far\n  must hold"), 2, "error: near < far must hold\n"),
        (OSError(28, "No space left on device"), 2, "No space left on device; check disk space"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_expected_errors_become_a_line_and_an_exit_status(
    error: BaseException, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> int:
        raise error

    assert exit_status(fail) == status
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") <= 1


def test_help_fits_the_terminal_and_shows_examples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    parser = Parser("Trains one field. " * 5, "The end.", examples=["train --scene bricks"])
    with pytest.raises(SystemExit):
        parser.parse(["--help"])
    shown = capsys.readouterr().out
    assert "\nexamples:\n  train --scene bricks\n\nThe end.\n" in shown
    assert max(map(len, shown.splitlines())) <= 50
