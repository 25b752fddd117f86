"""Finds parameters that only some trials have, and the parameter that decides which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.data.design import Branch
from analysis.external.sweep import ExternalTrial, Setting
from study.spec.dimension import Dimension

_MIN_TRIALS = 16  # of a branch
_MAX_LEVELS = 12  # of a parameter that decides
_MIN_LACKING = 0.2  # of the trials, where no parameter decides; fewer may just be incomplete


def find_branches(
    trials: Sequence[ExternalTrial],
    shared: Mapping[str, Dimension],
    conditional: Mapping[str, Dimension],
) -> tuple[Branch, ...]:
    """The branches of a sweep: sets of trials that have the same parameters of their own.

    A parameter decides which trials these are if each of its values has all of them, or none.
    Without such a parameter a set counts if at least a fifth of the trials are not in it.

    Args:
        trials: those with settings.
        shared: parameters that all trials have, by the setting's name.
        conditional: parameters that only some have, by the setting's name.
    """
    members = {
        name: frozenset(i for i, trial in enumerate(trials) if name in trial.settings)
        for name in conditional
    }
    branches = []
    for group in dict.fromkeys(members.values()):
        own = tuple(d for name, d in conditional.items() if members[name] == group)
        # Another conditional parameter may decide, if all trials of this branch have it.
        outer = {n: d for n, d in conditional.items() if group < members[n]}
        parent, values = _find_parent(trials, group, {**shared, **outer})
        lacking = len(trials) - len(group)
        if len(group) < _MIN_TRIALS or (not parent and lacking < _MIN_LACKING * len(trials)):
            continue
        branches.append(Branch(parent, values, own))
    return tuple(branches)


def _find_parent(
    trials: Sequence[ExternalTrial], group: frozenset[int], candidates: Mapping[str, Dimension]
) -> tuple[str, tuple[Setting, ...]]:
    """The path of the parameter whose values decide, and those of the group; empty if none does.

    Of several the one with fewest values, which is the least likely to decide by chance.
    """
    parents = []
    for name, dimension in candidates.items():
        inside = {t.settings[name] for i, t in enumerate(trials) if i in group}
        outside = {
            t.settings[name] for i, t in enumerate(trials) if i not in group and name in t.settings
        }
        if len(inside | outside) <= _MAX_LEVELS and not inside & outside:
            values = tuple(sorted(inside, key=lambda value: (str(type(value)), value)))
            parents.append((len(inside | outside), dimension.path, values))
    if not parents:
        return "", ()
    _, path, values = min(parents, key=lambda parent: parent[0])
    return path, values
