"""Numbers, values and conditions as all claims spell them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from analysis.data.study import Study
from nerf.config.parameters import Value


def format_part(estimate: float, low: float, high: float) -> str:
    """A fraction with its interval in per cent: `41 % [30, 52]`."""
    return f"{100 * estimate:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def format_difference(estimate: float, low: float, high: float) -> str:
    """A difference in decibels: `+0.03 dB [-0.40, +0.50]`."""
    return f"{estimate:+.2f} dB [{low:+.2f}, {high:+.2f}]"


def format_points(estimate: float, low: float, high: float) -> str:
    """A difference of fractions: `-25 points [-33, -17]`."""
    return f"{100 * estimate:+.0f} points [{100 * low:+.0f}, {100 * high:+.0f}]"


def format_value(value: Value | None) -> str:
    """A value of a parameter for a reader: numbers to three significant digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def state_values(path: str, values: Sequence[Value]) -> str:
    """A parameter with its values in the syntax of `--vary`: `PATH=A,B`."""
    texts = (str(v).lower() if isinstance(v, bool) else str(v) for v in values)
    return f"{path}={','.join(texts)}"


def state_range(path: str, low: Value, high: Value) -> str:
    """A parameter with a range in the syntax of `--vary`: `PATH=LOW:HIGH`."""
    return f"{path}={low!r}:{high!r}"


def list_runs(mask: Sequence[bool]) -> list[range]:
    """The unbroken runs of True, first to last."""
    runs, start = [], 0
    for is_true, group in itertools.groupby(mask):
        end = start + len(list(group))
        if is_true:
            runs.append(range(start, end))
        start = end
    return runs


def count_runs(number: int, adjective: str = "explored") -> str:
    """`1 explored run`, `84 explored runs`."""
    return f"{number} {adjective} run{'' if number == 1 else 's'}"


def count_points(number: int) -> str:
    """`1 explored point`, `84 explored points`."""
    return f"{number} explored point{'' if number == 1 else 's'}"


def name_variance(metric: str, is_native: bool) -> str:
    """What shares are parts of: `PSNR's variance`; of other tools `the variance of val_loss`."""
    return f"{metric}'s variance" if is_native else f"the variance of {metric}"


def name_compared(is_native: bool) -> str:
    """The trials that are compared, in the words of their tool."""
    return "runs that trained" if is_native else "completed trials"


def count_compared(study: Study, number: int) -> str:
    """`84 explored runs that trained`; of other tools `84 completed trials`, or configurations."""
    if study.is_native:
        return f"{count_runs(number)} that trained"
    if study.has_means:
        return f"{number} configuration{'' if number == 1 else 's'}"
    return f"{number} completed trial{'' if number == 1 else 's'}"


def begin_with(study: Study, label: str) -> str:
    """A label at the start of a sentence; names of others than the NeRF's stay as they are."""
    return capitalize(label) if study.is_nerf else label


def join_names(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def capitalize(text: str) -> str:
    """The text with its first letter in upper case, the others as they are."""
    return text[:1].upper() + text[1:]
