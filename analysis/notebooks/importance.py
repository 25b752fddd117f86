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
# # Which parameters matter in one study
#
# Open it with Jupyter and jupytext. `NERF_STUDY` is the path of a study folder.

# %%
import os

from analysis.figures.importance_bars import plot_importance_bars
from analysis.figures.parameter_effect import plot_parameter_effect
from analysis.figures.theme import resolve_colours
from analysis.findings.analyze_study import analyze_study

findings = analyze_study(os.environ.get("NERF_STUDY", "studies/bricks"))
print(findings.headline)

# %% [markdown]
# Shares of the variance of the final PSNR over the declared domains, with 95 % intervals; a share
# above its null is significant.

# %%
print(findings.comparable.sentence())
findings.importance.table()

# %%
resolve_colours(plot_importance_bars(findings.importance))

# %% [markdown]
# ## How does each parameter act?

# %%
for effect in findings.effects:
    print(effect.label, "-", effect.sentence)
    resolve_colours(plot_parameter_effect(effect)).show()

# %% [markdown]
# ## The trials are an ordinary data frame

# %%
varied = [dimension.path for dimension in findings.study.space.dimensions]
columns = ["trial_id", "outcome", "psnr", *varied]
findings.study.trials.sort_values("psnr", ascending=False)[columns].head(10)
