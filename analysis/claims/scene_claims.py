"""Claims on a study of several scenes: over all of them, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.answer_claims import describe_worst
from analysis.claims.claim import Claim, Kind
from analysis.claims.list_claims import list_answer_lines, list_claims, select_claims
from analysis.claims.variant_claims import claim_differences
from analysis.claims.wording import count_points, format_part, join_names
from analysis.findings.scenes import ScenesFindings
from analysis.importance.shares import SobolShare
from analysis.stats.p_values import format_p_value
from study.records.outcomes import BROKEN

_MAX_NAMED = 3


def list_scene_claims(findings: ScenesFindings) -> tuple[Claim, ...]:
    """The answers over all scenes, then shares, rates and differences between scenes."""
    return tuple(_list_claims(findings))


def list_scenes_lines(findings: ScenesFindings) -> list[str]:
    """The answers for a terminal; of variants, on average and on each scene."""
    over_all = list_answer_lines(list_scene_claims(findings))
    if not findings.first.has_variants:
        return over_all
    return over_all + [
        f"{label}: {line}"
        for label, own in findings.by_scene.items()
        for line in list_answer_lines(list_claims(own))
    ]


def _list_claims(findings: ScenesFindings) -> Iterator[Claim]:
    if findings.first.has_variants:
        if findings.variants is not None:
            yield from claim_differences(findings.variants)
        return
    yield _answer("what_matters", findings, _describe_what_matters(findings))
    yield _answer("what_breaks", findings, _describe_what_breaks(findings))
    yield _answer("what_to_set", findings, _describe_what_to_set(findings))
    yield _answer("how_sure", findings, _describe_how_sure(findings))
    if findings.importance.ranked:
        for share in findings.importance.significant_shares:
            yield _share(findings, share)
    else:
        text = f"Over all scenes no parameters are ranked: {findings.importance.refusal}"
        yield Claim("not_ranked", (), None, None, None, "", 0, None, _name_scenes(findings), text)
    yield _mean_rate(findings)
    for difference in findings.differences:
        text = (
            f"The effect of {difference.label} on {_metric(findings)} differs between "
            f"{join_names(difference.scenes)} ({format_p_value(difference.p_value)})."
        )
        yield Claim(
            "scenes_differ", (difference.path,), None, None, None, "", _count_points(findings),
            0.95, "among points that trained on both; corrected for all parameters and pairs of "
            "scenes", text,
        )  # fmt: skip
    if findings.best_shared is not None:
        yield _best_shared(findings)


def _describe_what_matters(findings: ScenesFindings) -> str:
    significant = findings.importance.significant_shares
    mean = f"{_metric(findings)} averaged over {_name_scenes(findings)}"
    if significant:
        first, *others = significant[:_MAX_NAMED]
        text = f"Of the variance of {mean}, {first.describe()}"
        text += f", then {join_names([s.describe() for s in others])}" if others else ""
    elif named := [test.label for test in findings.tests if test.significant]:
        text = f"Shown to affect {mean}: {join_names(named)}"
    elif findings.importance.ranked:
        text = f"No parameter has a sure effect on {mean}"
    else:
        text = f"Not known yet of {mean}: {findings.importance.refusal.rstrip('.')}"
    differ = list(dict.fromkeys(each.label for each in findings.differences))
    if differ:
        text += f"; the effect of {join_names(differ)} differs between scenes"
    return f"{text}."


def _describe_what_breaks(findings: ScenesFindings) -> str:
    breaking, overall = findings.breaking, findings.breaking.overall
    if not overall.trials:
        return "Not known yet: no explored point has ended on every scene."
    if not overall.broken:
        return (
            f"Nothing did: none of {count_points(overall.trials)} broke on any scene, so that "
            f"over the whole space at most {100 * overall.high:.0f} % do."
        )
    broken = findings.points.outcomes.isin(BROKEN).mean()
    each = join_names([f"{100 * rate:.0f} % on {label}" for label, rate in broken.items()])
    share = format_part(overall.rate, overall.low, overall.high)
    return (
        f"{share} of {count_points(overall.trials)} break{'s' * (overall.trials == 1)} on at least "
        f"one scene ({each})"
        f"{describe_worst(breaking)}."
    )


def _describe_what_to_set(findings: ScenesFindings) -> str:
    """What each scene alone says, as near, far and the best configuration are each scene's own."""
    texts = []
    for label, own in findings.by_scene.items():
        (claim,) = select_claims(list_claims(own), "what_to_set") or (None,)
        if claim:
            texts.append(f"On {label}: {claim.text}")
    return " ".join(texts)


def _describe_how_sure(findings: ScenesFindings) -> str:
    trained = int(findings.points.trained.sum())
    steps = findings.first.spec.get("steps", "")
    return (
        f"{count_points(trained)} trained on each of {len(findings.labels)} scenes for {steps} "
        "steps. Scenes share their points, so what holds over all scenes rests on points, not on "
        "runs; it holds for these scenes, others and longer training may differ. Brackets are 95 % "
        "intervals."
    )


def _share(findings: ScenesFindings, share: SobolShare) -> Claim:
    text = (
        f"{share.describe()} of the variance of {_metric(findings)} averaged over "
        f"{_name_scenes(findings)}."
    )
    return Claim(
        "scenes_share", (share.path,), share.share, share.share_low, share.share_high, "fraction",
        findings.importance.trials, 0.95, "among explored points that trained on every scene",
        text[:1].upper() + text[1:],
    )  # fmt: skip


def _mean_rate(findings: ScenesFindings) -> Claim:
    mean = findings.mean_rate
    text = (
        f"{format_part(mean.rate, mean.low, mean.high)} of the runs break on the average of "
        f"{_name_scenes(findings)}, over {count_points(mean.points)}."
    )
    return Claim(
        "scenes_rate", (), mean.rate, mean.low, mean.high, "fraction", mean.points, 0.95,
        "over explored points that trained or broke on every scene; at least 95 %", text,
    )  # fmt: skip


def _best_shared(findings: ScenesFindings) -> Claim:
    best = findings.best_shared
    assert best is not None
    metric = findings.first.metric
    each = join_names([f"{metric.format(score)} on {label}" for label, score in best.items()])
    text = (
        f"The explored point of the {metric.best} mean {metric.name} begins with trial {best.name}:"
        f" {each}. It was selected for its luck as well."
    )
    return Claim(
        "scenes_best", (), metric.values(float(best.mean())), None, None, metric.unit,
        _count_points(findings), None, "of the explored points that trained on every scene", text,
    )  # fmt: skip


def _metric(findings: ScenesFindings) -> str:
    return findings.first.metric.name


def _name_scenes(findings: ScenesFindings) -> str:
    return join_names(findings.labels)


def _count_points(findings: ScenesFindings) -> int:
    return int(findings.points.trained.sum())


def _answer(kind: Kind, findings: ScenesFindings, text: str) -> Claim:
    condition = f"over these scenes: {', '.join(findings.labels)}"
    return Claim(kind, (), None, None, None, "", _count_points(findings), 0.95, condition, text)
