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

from analysis.claims.list_claims import headline_claims, join_texts, list_claims
from analysis.claims.value_claims import list_value_claims
from analysis.figures.importance_bars import plot_importance_bars
from analysis.figures.parameter_effect import plot_parameter_effect
from analysis.figures.theme import resolve_colours
from analysis.figures.variance_parts import plot_variance_parts
from analysis.findings.analyze_study import analyze_study

findings = analyze_study(os.environ.get("NERF_STUDY", "studies/bricks"))
claims = list_claims(findings)
print(*(claim.text for claim in headline_claims(claims)), sep="\n")

# %% [markdown]
# Shares of the variance of the final PSNR among the explored runs that trained, with 95 %
# intervals, alone and with interactions.

# %%
print(findings.comparable.sentence())
findings.importance.table()

# %%
resolve_colours(plot_importance_bars(findings.importance))

# %%
resolve_colours(plot_variance_parts(findings.importance))

# %% [markdown]
# ## How does each parameter act?

# %%
values = list(list_value_claims(findings))
for effect in findings.effects:
    print(join_texts([c for c in values if c.parameters[0].startswith(effect.path)]))
    resolve_colours(plot_parameter_effect(effect)).show()

# %% [markdown]
# ## The trials are an ordinary data frame

# %%
varied = [dimension.path for dimension in findings.study.space.dimensions]
columns = ["trial_id", "outcome", "psnr", *varied]
findings.study.trials.sort_values("psnr", ascending=False)[columns].head(10)
