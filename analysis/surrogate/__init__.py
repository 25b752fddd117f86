"""Models of PSNR over the unit cube: Gaussian process, random forest, and the choice between them.

Imports `stats` and `study.spec`. `model_selection.py` chooses a surrogate by cross-validation;
`anova.py` holds its decomposition, from which `importance` reads Sobol' indices.

Notation of all files here. GPML is Rasmussen and Williams, Gaussian Processes for Machine Learning
(2006), https://gaussianprocess.org/gpml.

    n, d           number of trials, number of axes (varied parameters)
    R              functions held at once, always the last array axis: 1 for the fitted surrogate,
                   one for each bootstrap sample or posterior draw otherwise
    X              (n, d) trials as points of the unit cube: quantiles of the prior   `units`
    y, ybar        (n,) results of the trials, PSNR in dB; their mean                 `targets`

    D_j            squared distances along axis j; 0 or 1 between unordered levels    `distances`
    l_j, v_j       length scale and variance of axis j
    w              weight of pairs of axes
    noise          noise variance as a fraction of the scale s2
    theta          (log l_1..d, log v_1..d, log w, log noise)                         `log_params`
    k_j            v_j matern52(D_j / l_j^2): kernel of axis j alone
    K              (n, n) sum_j k_j + w sum_{j<k} k_j k_k: kernel of the process
    C              K + noise I: covariance of noisy results, up to the scale s2
    alpha          (n,) C^-1 (y - ybar); the posterior mean at x is ybar + k(x, X) alpha (GPML 2.25)
    s2             (y - ybar)' C^-1 (y - ybar) / n: the scale of K that maximises the likelihood

    phi_j          (m_j,) features of axis j: k_j(x, x') = phi_j(x) . phi_j(x')      `AxisFeatures`
    u_j, U_jk      coefficients of features, and of products of features of two axes

    f_j, f_jk      what axis j adds to the mean of f, and what a pair adds to that: the ANOVA
                   decomposition f = mean + sum_j f_j + sum_{j<k} f_jk              `Decomposition`
"""
