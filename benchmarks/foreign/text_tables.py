"""CSV and TSV files: how numbers, texts and missing cells are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from foreign.case import Truth, case
from foreign.sample import PARAMETERS, Parameter, draw_sample
from foreign.writing import as_columns, write_csv

_ACCURACY = "--metric accuracy"


@case(old_options=_ACCURACY)
def plain_csv(folder: Path) -> tuple[Path, Truth]:
    """Three settings and an accuracy, nothing else; no options."""
    sample = draw_sample(1)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(old_options=_ACCURACY)
def decimal_commas(folder: Path) -> tuple[Path, Truth]:
    """Semicolons between columns and commas before decimals."""
    sample = draw_sample(2)
    path = write_csv(folder / "runs.csv", as_columns(sample), delimiter=";", decimal=",")
    return path, sample.truth()


@case(old_options=_ACCURACY)
def byte_order_mark(folder: Path) -> tuple[Path, Truth]:
    """UTF-8 with the mark that Excel writes, lr the first column."""
    sample = draw_sample(3)
    path = write_csv(folder / "runs.csv", as_columns(sample), encoding="utf-8-sig")
    return path, sample.truth()


@case(old_options=_ACCURACY)
def utf_16(folder: Path) -> tuple[Path, Truth]:
    """UTF-16, as Excel saves Unicode text."""
    sample = draw_sample(4)
    path = write_csv(folder / "runs.csv", as_columns(sample), delimiter="\t", encoding="utf-16")
    return path, sample.truth()


@case(old_options=_ACCURACY)
def tabs(folder: Path) -> tuple[Path, Truth]:
    """Columns separated by tabs."""
    sample = draw_sample(5)
    return write_csv(folder / "runs.tsv", as_columns(sample), delimiter="\t"), sample.truth()


@case(old_options=_ACCURACY)
def percent_signs(folder: Path) -> tuple[Path, Truth]:
    """The metric as 61.46%."""
    sample = draw_sample(6)
    percent = np.round(100 * sample.metric, 2)
    columns = {**sample.columns, "accuracy": [f"{value:.2f}%" for value in percent]}
    return write_csv(folder / "runs.csv", columns), sample.truth(best=float(percent.max()))


@case(old_options=_ACCURACY)
def dash_for_missing(folder: Path) -> tuple[Path, Truth]:
    """Every eighth metric is a dash: a run without a result."""
    sample = draw_sample(7, trials=112)
    columns = as_columns(sample)
    columns["accuracy"] = ["-" if i % 8 == 0 else m for i, m in enumerate(columns["accuracy"])]
    rest = [m for i, m in enumerate(sample.metric) if i % 8]
    truth = sample.truth(best=max(rest), completed=None)
    return write_csv(folder / "runs.csv", columns), truth


@case(old_options=_ACCURACY)
def nan_and_inf(folder: Path) -> tuple[Path, Truth]:
    """Five losses are nan, five inf: runs that diverged."""
    sample = draw_sample(8, trials=112)
    columns = as_columns(sample)
    columns["accuracy"][:5], columns["accuracy"][5:10] = ["nan"] * 5, ["inf"] * 5
    truth = sample.truth(best=float(sample.metric[10:].max()), completed=None)
    return write_csv(folder / "runs.csv", columns), truth


@case(old_options=_ACCURACY)
def missing_settings(folder: Path) -> tuple[Path, Truth]:
    """Five rows lack their lr."""
    sample = draw_sample(9, trials=101)
    columns = as_columns(sample)
    columns["lr"] = [None, None, None, None, None, *columns["lr"][5:]]
    best = float(sample.metric[5:].max())
    return write_csv(folder / "runs.csv", columns), sample.truth(
        best=best, completed=96, warning="5 trials without"
    )


@case("--metric accuracy")
def crashed_rows_empty(folder: Path) -> tuple[Path, Truth]:
    """W&B states; the first row crashed before anything was recorded."""
    sample = draw_sample(10)
    columns = {"Name": [f"run-{i}" for i in range(len(sample))], "State": ["finished"] * 96}
    columns |= as_columns(sample)
    for name in ("lr", "width", "dropout", "accuracy"):
        columns[name] = [None, *columns[name][1:]]
    columns["State"][0] = "crashed"
    best = float(sample.metric[1:].max())
    return write_csv(folder / "runs.csv", columns), sample.truth(best=best, completed=95)


@case(old_options=_ACCURACY)
def duplicate_headings(folder: Path) -> tuple[Path, Truth]:
    """Two columns named lr: the setting, and a constant of another part."""
    sample = draw_sample(11)
    path = write_csv(folder / "runs.csv", {**sample.columns, "lr2": [3] * 96} | as_columns(sample))
    text = path.read_text()
    path.write_text(text.replace("lr2", "lr", 1))
    return path, sample.truth(warning="lr")


@case("--metric accuracy")
def two_heading_rows(folder: Path) -> tuple[Path, Truth]:
    """A second heading under the first, as pandas writes columns of two levels."""
    sample = draw_sample(20)
    path = write_csv(folder / "runs.csv", as_columns(sample))
    heading, *rows = path.read_text().splitlines()
    path.write_text("\n".join([heading, "optimiser,model,model,test", *rows]) + "\n")
    return path, sample.truth(warning="second row of headings")


@case(old_options=_ACCURACY)
def thousands_separators(folder: Path) -> tuple[Path, Truth]:
    """A width as "1,024" beside "16,384.0"."""
    sample = draw_sample(12, parameters=_with_widths(1024, 4096, 16384, 65536))
    columns = as_columns(sample)
    columns["width"] = [f"{width:,}.0" for width in columns["width"]]
    return write_csv(folder / "runs.csv", columns), sample.truth()


@case(old_options=_ACCURACY)
def none_beside_text(folder: Path) -> tuple[Path, Truth]:
    """A schedule of cosine, linear or None."""
    schedule = Parameter("schedule", 0.5, choices=("None", "linear", "cosine"))
    sample = draw_sample(13, parameters=(schedule, *_scaled(0.48)))
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(old_options=_ACCURACY)
def truth_values(folder: Path) -> tuple[Path, Truth]:
    """A flag as True and False, another as yes and no."""
    flags = (
        Parameter("amp", 0.4, choices=("False", "True")),
        Parameter("ema", 0.3, choices=("no", "yes")),
        Parameter("lr", 0.28, 1e-5, 1e-1, log=True),
    )
    sample = draw_sample(14, parameters=flags)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(old_options=_ACCURACY)
def strange_names(folder: Path) -> tuple[Path, Truth]:
    """Headings with markup, a comma, a quote, an umlaut and a line break."""
    names = ("<script>alert(1)</script>", 'größe, "breit"', "drop\nout")
    parameters = [
        Parameter(name, p.share, p.low, p.high, p.log, p.whole, p.choices)
        for name, p in zip(names, PARAMETERS, strict=True)
    ]
    sample = draw_sample(15, parameters=parameters)
    return write_csv(folder / "läufe.csv", as_columns(sample)), sample.truth()


@case("--metric accuracy")
def names_of_our_columns(folder: Path) -> tuple[Path, Truth]:
    """Settings named phase, reason, number_of_heads and budget_steps."""
    parameters = (
        Parameter("phase", 0.4, choices=("a", "b", "c")),
        Parameter("budget_steps", 0.25, 100.0, 900.0),
        Parameter("reason", 0.1, choices=("x", "y")),
        Parameter("number_of_heads", 0.23, 1, 16, whole=True),
    )
    sample = draw_sample(16, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case("--metric loss", "--metric loss --lower-is-better")
def huge_and_tiny(folder: Path) -> tuple[Path, Truth]:
    """A learning rate around 1e-12, a loss around 1e14."""
    parameters = (
        Parameter("lr", 0.7, 1e-13, 1e-10, log=True),
        Parameter("parameters_max", 0.28, 1e9, 9e12),
    )
    sample = draw_sample(17, parameters=parameters, centre=1e14, scale=-1e13)
    columns = as_columns(sample, "loss")
    return write_csv(folder / "runs.csv", columns), sample.truth(minimize=True)


@case("--metric energy --direction minimize", "--metric energy --lower-is-better")
def large_offset(folder: Path) -> tuple[Path, Truth]:
    """An energy of -76,000 that differs from the fourth decimal on."""
    sample = draw_sample(18, centre=-76000.0, scale=-1e-4)
    columns = as_columns(sample, "energy")
    return write_csv(folder / "runs.csv", columns), sample.truth(minimize=True)


@case(old_options=_ACCURACY)
def lists_as_settings(folder: Path) -> tuple[Path, Truth]:
    """Layers as "[64, 32]"."""
    layers = Parameter("layers", 0.4, choices=("[32]", "[64, 32]", "[128, 64, 32]"))
    sample = draw_sample(19, parameters=(layers, *_scaled(0.58)))
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


def _with_widths(*widths: int) -> tuple[Parameter, ...]:
    lr, _, dropout = PARAMETERS
    return (lr, Parameter("width", 0.25, choices=widths), dropout)


def _scaled(share: float) -> tuple[Parameter, Parameter]:
    """A learning rate and a dropout of together this share."""
    return (
        Parameter("lr", share * 0.7, 1e-5, 1e-1, log=True),
        Parameter("dropout", share * 0.3, 0.05, 0.6),
    )
