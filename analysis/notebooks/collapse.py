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
# # What breaks training
#
# `NERF_STUDY` is the path of a study folder.

# %%
import os

import pandas as pd

from analysis.claims.list_claims import join_texts, list_claims, select_breaks
from analysis.figures.break_rates import plot_break_rates, plot_pair_break_rates
from analysis.figures.theme import resolve_colours
from analysis.findings.analyze_study import analyze_study

findings = analyze_study(os.environ.get("NERF_STUDY", "studies/bricks"))
breaking = findings.breaking
print(join_texts(select_breaks(list_claims(findings))))

# %% [markdown]
# A run breaks if it collapses or shows nothing. Clopper-Pearson intervals hold at once for all
# ranges of all parameters; p-values are of Fisher's exact test, with Holm's correction for the
# number of parameters.

# %%
pd.DataFrame([{"parameter": p.label, "p": p.p_value} for p in breaking.parameters])

# %%
for parameter in breaking.parameters[:3]:
    resolve_colours(plot_break_rates(parameter)).show()

# %% [markdown]
# ## Pairs of parameters
#
# The null hypothesis is that one of the two does not matter where the other is held fixed.

# %%
pairs = breaking.pairs[:5]
pd.DataFrame([{"pair": " × ".join(p.labels), "p": p.p_value} for p in pairs])

# %%
resolve_colours(plot_pair_break_rates(breaking.pairs[0]))

# %% [markdown]
# ## Why did they collapse?

# %%
collapsed = findings.study.trials.query("outcome == 'collapsed'")
collapsed.groupby("reason").agg(trials=("trial_id", "size"), psnr=("psnr", "median")).reset_index()
