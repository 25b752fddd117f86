"""A model of PSNR over the unit cube: a Gaussian process with an ANOVA kernel.

Imports `stats` and `study.spec`. `gaussian_process.py` fits it, `posterior_draws.py` draws from its
posterior, `anova.py` decomposes the variance of draws into Sobol' indices for `importance`, and
`validation.py` measures how well it predicts trials that it has not seen.

Notation of all files here. GPML is Rasmussen and Williams, Gaussian Processes for Machine Learning
(2006), https://gaussianprocess.org/gpml.

    n, d           number of trials, number of axes (varied parameters)
    X              (n, d) trials as points of the unit cube: quantiles of the prior   `units`
    y, mu          (n,) results of the trials, such as PSNR in dB; the mean of the process
    p_j            the distribution of axis j: nodes and their weights             `Axis.grid`
    R              functions held at once, always the last array axis: 1 for an estimate, one for
                   each posterior draw otherwise

    k_j            Matern kernel of axis j with length scale l_j; 0 or 1 between unordered levels
    c_j            k_j centred under p_j: E[c_j(x, .)] = 0; E[c_j(x, x)] about 1    `kernel.py`
    v_j, rho       variance of axis j; strength of interactions
    K              (1/rho) (prod_j (1 + rho v_j c_j) - 1): the kernel, up to the scale s2
    V              (1/rho) (prod_j (1 + rho v_j) - 1): the prior variance of a function, over s2
    eta            noise variance over s2 V
    theta          (log l_1..d, log v_1..d, log rho, log eta)                     `theta`
    C              K + eta V I: covariance of noisy results, over s2
    alpha          (n,) C^-1 (y - mu); the posterior mean at x is mu + K(x, X) alpha (GPML 2.25)
    s2             (y - mu)' C^-1 (y - mu) / (n - 1): the scale

    f_S            what the axes in S add jointly to f: the ANOVA decomposition
                   f = mean + sum_j f_j + sum_{j<k} f_jk + ...                 `Decomposition`
"""
