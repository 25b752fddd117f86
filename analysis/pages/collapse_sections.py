"""The report's sections on what breaks training, near and far bounds above all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.data.selection import measured
from analysis.figures.collapse_rates import plot_collapse_rates, plot_pair_collapse_rates
from analysis.figures.near_far_map import plot_near_far_map
from analysis.findings.bounds_map import FAR, NEAR, BoundsMap, Cell, spans
from analysis.pages import markup
from analysis.pages.markup import text
from analysis.pages.thumbnails import thumbnail

if TYPE_CHECKING:
    from analysis.findings.study_findings import Findings

_MOST_PANELS = 6
_MOST_PAIRS = 3


def collapse(found: Findings) -> str:
    broken = found.collapse
    if broken.refusal:
        body = markup.refusal(f"Nothing to compare: {broken.refusal}")
    else:
        shown = (broken.live or broken.parameters[:2])[:_MOST_PANELS]
        panels = [
            markup.figure(plot_collapse_rates(b), f"Rate of collapse against {b.label}")
            + f'<p class="note">{_verdict(b.p_value)}</p>'
            for b in shown
        ]
        body = f"<p>{_words(found)}</p>{markup.grid(panels)}{_pairs(found)}{_reasons(found)}"
    return markup.section(
        "collapse", "What breaks training?", body,
        f"{broken.collapsed} of {broken.trials} explored trials that ended by themselves "
        "collapsed. Ranges are equally likely under the prior; lines are 95 % Wilson intervals; "
        "p-values of Fisher's exact test by sampling, corrected after Holm for all parameters. "
        "Of a pair, the p-value is that one of the two does not matter where the other is held." +
        _torn(found),
    )  # fmt: skip


def _words(found: Findings) -> str:
    broken = found.collapse
    if not broken.live:
        return "No parameter's rate of collapse differs more than chance would; the two nearest:"
    return f"Beyond chance: {text('; '.join(b.sentence for b in broken.live))}."


def _verdict(p: float) -> str:
    return f"p = {p:.2g}, corrected" + ("" if p < 0.05 else ": may well be chance")


def _pairs(found: Findings) -> str:
    pairs = found.collapse.live_pairs[:_MOST_PAIRS]
    if not pairs:
        return "<p>No two parameters are both needed, beyond chance, to tell who collapses.</p>"
    panels = [
        markup.figure(
            plot_pair_collapse_rates(pair),
            f"Rate of collapse over {pair.labels[0]} and {pair.labels[1]}",
        )
        + f'<p class="note">{_verdict(pair.p_value)}</p>'
        for pair in pairs
    ]
    return (
        f"<p>Two parameters at once, each beyond chance given the other:</p>{markup.grid(panels)}"
    )


def _reasons(found: Findings) -> str:
    """What the collapsed trials said themselves, without the figures of each one."""
    trials = found.study.trials
    said = trials.loc[trials["state"] == "collapsed", "reason"].str.split(r":| between ").str[0]
    counts = "; ".join(f"{reason} ({n})" for reason, n in said[said != ""].value_counts().items())
    return f"<p>Why, in the words of all collapsed trials: {text(counts)}.</p>" if counts else ""


def _torn(found: Findings) -> str:
    seeds = found.seeds
    if not seeds.repeated:
        return ""
    return (
        f" Of {seeds.repeated} explored configurations that were run again, {seeds.torn} collapsed "
        "with one seed and not with another."
    )


def bounds(found: Findings) -> str:
    if found.bounds is None:
        return ""
    trials = measured(found.study.trials)
    plane = markup.figure(
        plot_near_far_map(trials, NEAR, FAR), "PSNR over the plane of near and far bounds"
    )
    body = f'<div class="beside"><div>{_map(found, found.bounds)}</div><div>{plane}</div></div>'
    return markup.section(
        "bounds", "Which near and far bounds work?", body,
        "In cells, explored trials that ended by themselves: how many of each cell collapsed, and "
        "the render of the one of median PSNR; press it to open the trial. As marks, every trial: "
        "● completed, ▼ pruned, ✕ collapsed. The other parameters vary as well.",
    )  # fmt: skip


def _map(found: Findings, plane: BoundsMap) -> str:
    heads = "".join(f'<th scope="col">{span}</th>' for span in spans(plane.near))
    rows = "".join(
        f'<tr><th scope="row">{span}</th>{"".join(_cell(found, cell) for cell in row)}</tr>'
        for span, row in zip(spans(plane.far), plane.cells, strict=True)
    )
    return (
        '<div class="scroll"><table class="map"><caption>Collapsed trials by bounds, in scene '
        f"units</caption><thead><tr><th>far ↓ near →</th>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _cell(found: Findings, cell: Cell | None) -> str:
    if cell is None:
        return '<td class="soft">no trial</td>'
    name, rate = text(cell.trial_id), cell.rate
    picture = thumbnail(found.study.folder.render(cell.trial_id), height=110, render_only=True)
    image = f'<img src="{picture}" alt="render of trial {name}">' if picture else "no render"
    return (
        f'<td style="--rate:{rate.rate:.3f}" title="{text(rate.words)} collapse">'
        f'<button class="thumb" data-trial="{name}">{image}</button>'
        f"{rate.collapsed} of {rate.trials}</td>"
    )
