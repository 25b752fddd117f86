"""Simulated studies with known truth, and how often claims about them are false.

objectives      what a run at each point of the space scores, how noisily, how often it breaks
simulate_study  a study folder of such runs, from the real design
truth           shares, effects and rates of an objective, by brute force
value_sets      values in a claim (`PATH=LOW:HIGH`, `PATH=A,B`) as quantiles
scoring         each claim: true, false or not scored
unsaid          true things of some size that no claim says
foreign_sweeps  sweeps of other tools: by samplers that follow results, by hand, on grids
study_sets      sets of studies of one design on several scenes, with known rates and effects
score_sets      claims on a set of studies: true or false
tally           counts over many studies
"""
