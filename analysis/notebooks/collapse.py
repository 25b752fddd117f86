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
# `NERF_STUDY` names the study folder that a sweep left.

# %%
import os

import pandas as pd

from analysis.figures.collapse_rates import plot_collapse_rates, plot_pair_collapse_rates
from analysis.figures.theme import resolve_colours
from analysis.findings.analyze_study import analyze_study

found = analyze_study(os.environ.get("NERF_STUDY", "studies/bricks"))
broken = found.collapse
print(f"{broken.collapsed} of {broken.trials} explored trials collapsed. {broken.refusal}")

# %% [markdown]
# Rates of collapse with 95 % Wilson intervals; p-values are exact and corrected for the number of
# parameters looked at.

# %%
pd.DataFrame([{"parameter": p.label, "p": p.p_value} for p in broken.parameters])

# %%
for breaking in broken.parameters[:3]:
    resolve_colours(plot_collapse_rates(breaking)).show()

# %% [markdown]
# ## Two at a time
#
# The p-value is that one of the two does not matter where the other one is held.

# %%
pairs = broken.pairs[:5]
pd.DataFrame([{"pair": " × ".join(p.labels), "p": p.p_value} for p in pairs])

# %%
resolve_colours(plot_pair_collapse_rates(broken.pairs[0]))

# %% [markdown]
# ## Why did they collapse?

# %%
collapsed = found.study.trials.query("state == 'collapsed'")
collapsed.groupby("reason").agg(trials=("trial_id", "size"), psnr=("psnr", "median")).reset_index()
