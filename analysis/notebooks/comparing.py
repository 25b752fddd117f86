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
# # Several studies side by side
#
# `NERF_STUDIES` lists the study folders, separated by the system's path separator.

# %%
import os

import pandas as pd

from analysis.figures.compared_shares import plot_compared_shares
from analysis.figures.theme import resolve_colours
from analysis.findings.analyze_study import analyze_study
from analysis.findings.comparison import compare_studies

names = os.environ.get("NERF_STUDIES", os.pathsep.join(["studies/bricks", "studies/lego"]))
studies = [analyze_study(name) for name in names.split(os.pathsep)]
compared = compare_studies(studies)
print("\n".join(compared.differences) or "No other differences were recorded.")

# %%
pd.DataFrame(
    {
        "parameter": [c.label for c in compared.parameters],
        "pooled": [c.pooled and c.pooled.mean for c in compared.parameters],
        "low": [c.pooled and c.pooled.low for c in compared.parameters],
        "high": [c.pooled and c.pooled.high for c in compared.parameters],
        "disagreeing": [
            ", ".join(" / ".join(pair) for pair in c.disagreeing) for c in compared.parameters
        ],
    }
)

# %%
resolve_colours(plot_compared_shares(compared))
