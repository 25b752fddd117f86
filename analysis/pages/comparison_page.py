"""Several studies' findings -> one self-contained page."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.figures.compared_shares import plot_compared_shares
from analysis.findings.comparison import Comparison
from analysis.findings.study_findings import Findings
from analysis.importance.shares import Share
from analysis.pages import markup
from analysis.pages.markup import shell, text


def comparison_document(studies: Sequence[Findings], compared: Comparison) -> str:
    """The page of several studies: where they agree and where they do not."""
    names = [found.study.name for found in studies]
    head = (
        '<header><p class="kicker">NeRF hyperparameter studies</p>'
        f'<h1>{text(" · ".join(names))}</h1><p class="lead">{_summary(compared)}</p></header>'
    )
    return shell(" · ".join(names), head, _shares(compared) + _studies(studies), "")


def _summary(compared: Comparison) -> str:
    apart = [c for c in compared.parameters if c.disagreeing]
    sentences = []
    if compared.parameters:
        first = compared.parameters[0]
        sentences.append(
            f"Over all studies {text(first.label)} moves the final PSNR most: "
            f"{first.pooled:.0%} [{first.low:.0%}, {first.high:.0%}] of its variance."
        )
    if apart:
        sentences.append(f"They disagree about {', '.join(text(c.label) for c in apart)}.")
    elif compared.parameters:
        sentences.append("No two studies' intervals are apart.")
    sentences += [
        f"{text(name)} ranks nothing: {text(why)}" for name, why in compared.unranked.items()
    ]
    return " ".join(sentences)


def _shares(compared: Comparison) -> str:
    if not compared.parameters:
        return markup.section(
            "shares", "Do the studies agree?", markup.refusal("None of them ranks."), ""
        )
    rows: list[list[object]] = [
        [
            c.label, f"{c.pooled:.0%} [{c.low:.0%}, {c.high:.0%}]",
            *(_share(c.shares.get(name)) for name in _names(compared)),
            "; ".join(f"{a} and {b}" for a, b in c.disagreeing) or "no one",
        ]
        for c in compared.parameters
    ]  # fmt: skip
    heads = ["parameter", "pooled", *_names(compared), "disagreeing"]
    drawn = markup.figure(plot_compared_shares(compared), "Total shares of each study")
    differences = "".join(f"<li>{text(d)}</li>" for d in compared.differences)
    return markup.section(
        "shares", "Do the studies agree?", drawn + markup.table(heads, rows),
        "Total shares with 95 % intervals; pooled is their plain mean. Studies disagree where "
        "their intervals do not touch. What else differs between them: "
        + (f"<ul>{differences}</ul>" if differences else "nothing that was recorded."),
    )  # fmt: skip


def _share(share: Share | None) -> str:
    if share is None:
        return "–"
    return f"{share.total:.0%} [{share.total_low:.0%}, {share.total_high:.0%}]"


def _names(compared: Comparison) -> list[str]:
    return list(dict.fromkeys(name for c in compared.parameters for name in c.shares))


def _studies(studies: Sequence[Findings]) -> str:
    rows: list[list[object]] = [
        [
            found.study.name, found.study.scene.get("name"), len(found.study.trials),
            None if found.best is None else found.best["psnr"],
            None if found.default is None else found.default["psnr"], found.headline,
        ]
        for found in studies
    ]  # fmt: skip
    heads = ["study", "scene", "trials", "best PSNR", "defaults' PSNR", "what it says"]
    return markup.section("studies", "Each study", markup.table(heads, rows), "")
