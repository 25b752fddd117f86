"""What a record says of how its trials were proposed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from analysis.external.counts import count

_UNIFORM = re.compile(
    r"random|qmc|quasi|sobol|halton|hammersley|hypercube|\blhs|grid|brute|space.?filling",
    re.IGNORECASE,
)
_ADAPTIVE = re.compile(
    r"tpe|bayes|parzen|gauss|kriging|\bgp(?!u)|cma|nsga|genetic|evolution|\bde\b|swarm|\bpso\b"
    r"|annealing|hill|hyperopt|bohb|dehb|smac|nevergrad|ngopt|one.?plus.?one|\bax(search)?\b|optunasearch|botorch|turbo"
    r"|hebo|skopt|scikit.?optimize|dragonfly|zoopt|sigopt|vizier|flaml|blendsearch|\bcfo\b"
    r"|\bpb[t2]\b|population|search algorithm|tuner|surrogate|forest",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Proposals:
    """How trials were proposed, as far as the record tells.

    sampler: the name of what proposed them; empty if unknown. Tests are trusted above it.
    ranges_changed: some parameter's range was not the same for all trials
    enqueued: trials that a person gave, among those that a sampler proposed
    """

    sampler: str = ""
    ranges_changed: bool = False
    enqueued: int = 0

    @property
    def is_uniform(self) -> bool:
        """Whether the sampler draws from the prior, whatever the results are."""
        return not self.is_adaptive and _UNIFORM.search(self.sampler) is not None

    @property
    def is_adaptive(self) -> bool:
        """Whether the sampler follows results; `random forest` does, `random` does not."""
        return _ADAPTIVE.search(self.sampler) is not None

    def describe_sampler(self) -> str:
        """What proposed the trials, without a full stop."""
        others = f"; {self.describe_enqueued()}" if self.enqueued else ""
        return f"by its record, {self.sampler} proposed them{others}"

    def describe_enqueued(self) -> str:
        """How many trials a person gave, without a full stop."""
        return f"{count(self.enqueued, 'trial')} had values that were given (enqueued)"
