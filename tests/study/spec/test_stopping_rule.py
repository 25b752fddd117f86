"""The rule of a study that explores until a claim is settled, and the sizes at which it looks."""

from __future__ import annotations

import pytest

from nerf.common.errors import InputError
from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.spec.stopping_rule import FIRST_LOOK, StoppingRule, list_looks


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("sure 0.10", StoppingRule("sure", margin=0.1)),
        ("order", StoppingRule("order")),
        ("sampling.near  breaks", StoppingRule("breaks", path="sampling.near")),
        ("lr matters", StoppingRule("matters", path="lr")),
    ],
)
def test_a_rule_is_read_and_written_in_one_form(text: str, rule: StoppingRule) -> None:
    assert StoppingRule.parse(text) == rule
    assert StoppingRule.parse(rule.text) == rule
    assert rule.describe()


@pytest.mark.parametrize(
    "text", ["", "sure", "sure nan", "sure 0", "sure 0.5", "sure x", "near breaks now", "near"]
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--until"):
        StoppingRule.parse(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--until=order", "--until-sure=0.1"], "two rules"),
        (["--until-sure=0.1", "--explore=16"], "raise --explore"),
        (["--until=sampling.nere breaks"], "did you mean sampling.near"),
        (["--until=order", "--design=grid", "--vary=field.depth=2,4"], "or --design grid"),
        (["--budget=3"], "have no GPU"),
        (["--until=order", "--scene=bricks", "--scene=courtyard"], "one scene"),
        (["--dry-run", "--save-study=a.toml"], "remove one"),
    ],
)
def test_what_contradicts_is_refused(options: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_plan(parse_options(options))


@pytest.mark.parametrize("most", [32, 40, 64, 128, 256, 1000])
def test_looks_rise_by_whole_nets_to_the_most(most: int) -> None:
    looks = list_looks(most)
    assert looks == sorted(set(looks))
    assert (looks[0], looks[-1]) == (FIRST_LOOK, most)
    assert all(size % 16 == 0 for size in looks[:-1])
    assert len(looks) <= 20
