# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Near and far bounds
#
# `NERF_STUDY` is the path of a study folder; the study must have varied both bounds.

# %%
import os

import pandas as pd

from analysis.claims.list_claims import join_texts
from analysis.claims.value_claims import list_value_claims
from analysis.figures.near_far_map import plot_near_far_map
from analysis.figures.parameter_effect import plot_parameter_effect
from analysis.figures.theme import resolve_colours
from analysis.findings.analyze_study import analyze_study
from analysis.findings.bounds_map import format_ranges

findings = analyze_study(os.environ.get("NERF_STUDY", "studies/bricks"))
trials = findings.study.trials.dropna(subset=["psnr"])
resolve_colours(plot_near_far_map(trials, "sampling.near", "sampling.far"))

# %% [markdown]
# How many explored trials collapsed or show nothing in each cell of the plane; empty cells have no
# trials.

# %%
plane = findings.bounds
assert plane is not None, "both bounds must vary"
pd.DataFrame(
    [[f"{c.rate.broken} of {c.rate.trials}" if c else "" for c in row] for row in plane.cells],
    index=[f"far {span}" for span in format_ranges(plane.far)],
    columns=[f"near {span}" for span in format_ranges(plane.near)],
)

# %% [markdown]
# Mean PSNR by quartile of each bound while all other parameters vary: no surrogate is involved.

# %%
near = pd.qcut(trials["sampling.near"], 4)
far = pd.qcut(trials["sampling.far"], 4)
trials.pivot_table(index=near, columns=far, values="psnr", observed=True).round(1)

# %% [markdown]
# Each bound alone, averaged over the other parameters by the surrogate.

# %%
claims = list(list_value_claims(findings))
for effect in findings.effects:
    if effect.path in ("sampling.near", "sampling.span"):
        print(join_texts([c for c in claims if c.parameters[0].startswith(effect.path)]))
        resolve_colours(plot_parameter_effect(effect)).show()
