"""Where a section comes from: the command, its runs, and the sentences of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.claims.claim import Claim
from analysis.claims.list_claims import headline_claims, select_claims
from analysis.data.study import Study
from analysis.published.collapse_tables import name_scene
from nerf.config.flat import build, flatten
from nerf.config.parameters import DERIVED, Value
from study.spec.default_space import DEFAULT_SETTINGS, DEFAULT_SPACE, SPACES, name_space
from study.spec.parse_space import format_dimension
from study.spec.study_spec import StudySpec


def has_studies(results: Path, *names: str) -> bool:
    """Whether `results` has all these studies."""
    return all((results / name / "study.json").exists() for name in names)


def describe_origin(study: Study) -> str:
    """The command of a study, how many trials ended, and what they took."""
    document = {"spec": study.spec, "space": study.space.to_json()}
    planned = StudySpec.from_json(document).trials
    ended = len(study.trials)
    so_far = f"{ended} trials" if ended == planned else f"{ended} of {planned} trials"
    return (
        f"`python {' '.join([*study.command, *_options_for_old_defaults(study)])}`: {so_far} of "
        f"{study.spec['steps']} steps, {study.trials['train_seconds'].sum() / 3600:.1f} hours of "
        "training on one thread each."
    )


def describe_group(studies: Sequence[Study]) -> str:
    """The command of the first of several studies of one design, and what all of them took."""
    runs = sum(len(study.trials) for study in studies)
    hours = sum(study.trials["train_seconds"].sum() for study in studies) / 3600
    command = " ".join([*studies[0].command, *_options_for_old_defaults(studies[0])])
    scenes = ", ".join(name_scene(study) for study in studies)
    return (
        f"`python {command}`, and the same for each of {len(studies)} scenes ({scenes}): {runs} "
        f"runs, {hours:.1f} hours of training on one thread each."
    )


def _options_for_old_defaults(study: Study) -> Iterator[str]:
    """Options that repeat the study in spite of defaults that have changed since."""
    then = dict(study.space.parameter_defaults) | dict(study.space.fixed)
    named = "" if "--vary" in study.command else name_space(study.space)
    usual = SPACES[named].settings if named else DEFAULT_SETTINGS
    now: dict[str, Value] = flatten(build({})) | dict(usual)
    own = {dimension.path for dimension in study.space.dimensions} | {"optimisation.steps"}
    if "--study" in study.command:  # the study file sets steps and fixed parameters
        own |= set(dict(study.space.fixed))
    else:
        if not named and "--vary" not in study.command:  # a default of its time
            yield from (f"--vary {format_dimension(d)}" for d in study.space.dimensions)
        if named not in ("", DEFAULT_SPACE):
            yield f"--space {named}"
        if "--steps" not in study.command and study.spec["steps"] != StudySpec.steps:
            yield f"--steps {study.spec['steps']}"
    for path, value in then.items():
        if path.startswith("evaluation."):
            continue  # how often a run is measured does not change it
        on_command_line = any(word.startswith(f"{path}=") for word in study.command)
        if path not in own and path not in DERIVED and not on_command_line and value != now[path]:
            yield f"--set {path}={str(value).lower() if isinstance(value, bool) else value}"


def list_sentences(claims: Sequence[Claim]) -> str:
    """All claims but the headline as a list; one of a share has that with failures in it."""
    named = {claim.parameters for claim in select_claims(claims, "share")}
    stated = headline_claims(claims)
    return "\n".join(
        f"- {claim.text}"
        for claim in claims
        if claim not in stated
        and not (claim.kind == "share_with_failures" and claim.parameters in named)
    )
