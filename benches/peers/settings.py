"""The budget: for every algorithm of every system the same number of settings at most, tried on the tuning file.

The best of them, by mean reward there, is evaluated; nothing is tuned again. Every list has its system's documented
default or recommendation; the rest varies what its documentation says matters most.
"""

BUDGET = 6

PROFFER: dict[str, list[dict]] = {
    # The peers' arms know nothing of each other, so that ours do not either.
    "thompson_linear": [{"exploration": 0, "lambda": lam, "prior": "none"} for lam in (1, 3, 10, 30, 100, 300)],
    "thompson_logistic": [{"exploration": 0, "lambda": lam} for lam in (1, 3, 10, 30, 100, 300)],
    "thompson_beta": [{"exploration": 0, "prior": "none"}],
    "linucb": [
        {"exploration": 0.001, "alpha": alpha, "lambda": lam, "prior": "none"}
        for alpha, lam in ((0.1, 1), (0.25, 1), (0.1, 10), (0.25, 10), (0.5, 10), (0.25, 30))
    ],
    "linucb_hybrid": [
        {"exploration": 0.001, "alpha": alpha, "lambda": lam}
        for alpha, lam in ((0.1, 1), (0.25, 1), (0.1, 10), (0.25, 10), (0.5, 10), (0.25, 30))
    ],
    "linucb_randomised": [{"exploration": 0, "lambda": lam} for lam in (1, 3, 10, 30, 100, 300)],
    "squarecb": [
        {"exploration": 0, "gamma_scale": scale, "lambda": lam}
        for scale, lam in ((10, 1), (30, 1), (10, 10), (30, 10), (100, 10), (100, 30))
    ],
    "bagged_linear": [{"exploration": 0, "lambda": lam} for lam in (1, 3, 10, 30, 100, 300)],
    "greedy": [{"lambda": lam} for lam in (1, 3, 10, 30, 100, 300)],
    "epsilon_greedy": [
        {"exploration": share, "lambda": lam}
        for share, lam in ((0.01, 1), (0.05, 1), (0.01, 10), (0.05, 10), (0.1, 10), (0.02, 30))
    ],
    "uniform": [{}],
}
"""By strategy; one that is not named here is tried with `OTHERS`."""

OTHERS = [{"lambda": lam} for lam in (1, 3, 10, 30, 100, 300)]


def vw(*options: str) -> list[dict]:
    return [{"options": option} if option[0] == "-" else {"cost": "negative", "options": option[1:]} for option in options]


# A `!` before the options: costs are -share, not 1 - share.
VOWPAL = {
    "epsilon": vw(
        "--epsilon 0.05",
        "--epsilon 0.02",
        "--epsilon 0.05 --power_t 0 -l 0.1",
        "!--epsilon 0.02",
        "--epsilon 0.02 --cb_type dr",
        "--epsilon 0.02 --ignore_linear s --power_t 0 -l 0.05",
    ),
    "squarecb": vw(
        "--squarecb",
        "--squarecb --gamma_scale 100",
        "--squarecb --gamma_scale 1000",
        "--squarecb --gamma_scale 100 --power_t 0 -l 0.1",
        "!--squarecb --gamma_scale 100 --cb_min_cost -1 --cb_max_cost 0",
        "--squarecb --gamma_scale 300 --ignore_linear s --power_t 0 -l 0.05",
    ),
    "regcb": vw(
        "--regcb",
        "--regcb --mellowness 0.01",
        "--regcb --mellowness 0.001",
        "--regcbopt --mellowness 0.01",
        "--regcbopt --mellowness 0.001",
        "--regcbopt --mellowness 0.01 --power_t 0 -l 0.1",
    ),
    "bag": vw(
        "--bag 5",
        "--bag 5 --greedify",
        "--bag 10 --greedify",
        "--bag 5 --greedify --power_t 0 -l 0.1",
        "!--bag 5 --greedify",
        "--bag 5 --greedify --ignore_linear s --power_t 0 -l 0.05",
    ),
    "first": vw(
        "--first 100",
        "--first 300",
        "--first 1000",
        "--first 300 --power_t 0 -l 0.1",
        "!--first 300",
        "--first 1000 --ignore_linear s --power_t 0 -l 0.05",
    ),
}

MABWISER = {
    "LinUCB": [
        {"policy": "LinUCB", "alpha": alpha, "l2_lambda": lam}
        for alpha, lam in ((1.0, 1.0), (0.25, 1.0), (0.1, 1.0), (0.25, 10.0), (0.1, 10.0), (0.5, 10.0))
    ],
    "LinTS": [
        {"policy": "LinTS", "alpha": alpha, "l2_lambda": lam}
        for alpha, lam in ((1.0, 1.0), (0.3, 1.0), (0.1, 1.0), (0.3, 10.0), (0.1, 10.0), (0.05, 10.0))
    ],
    "LinGreedy": [
        {"policy": "LinGreedy", "epsilon": epsilon, "l2_lambda": lam}
        for epsilon, lam in ((0.1, 1.0), (0.05, 1.0), (0.02, 1.0), (0.05, 10.0), (0.02, 10.0), (0.02, 30.0))
    ],
}

_FROM_PRIOR = {"ucb_from_empty": False, "beta_prior": "auto"}
CONTEXTUALBANDITS = {
    "LinUCB": [
        {"policy": "LinUCB", "alpha": 1.0, "lambda_": 1.0},
        {"policy": "LinUCB", "alpha": 0.25, "lambda_": 1.0},
        {"policy": "LinUCB", "alpha": 0.1, "lambda_": 10.0},
        {"policy": "LinUCB", "alpha": 0.25, "lambda_": 1.0, **_FROM_PRIOR},
        {"policy": "LinUCB", "alpha": 0.1, "lambda_": 10.0, **_FROM_PRIOR},
        {"policy": "LinUCB", "alpha": 0.25, "lambda_": 10.0, **_FROM_PRIOR},
    ],
    "LinTS": [
        {"policy": "LinTS", "v_sq": 1.0, "lambda_": 1.0, "beta_prior": "auto"},
        {"policy": "LinTS", "v_sq": 0.1, "lambda_": 1.0, "beta_prior": "auto"},
        {"policy": "LinTS", "v_sq": 0.1, "lambda_": 10.0, "beta_prior": "auto"},
        {"policy": "LinTS", "v_sq": 0.03, "lambda_": 1.0},
        {"policy": "LinTS", "v_sq": 0.03, "lambda_": 10.0},
        {"policy": "LinTS", "v_sq": 0.1, "lambda_": 10.0, "sample_from": "ci"},
    ],
    "AdaptiveGreedy": [
        {"policy": "AdaptiveGreedy", "sgd": {"alpha": alpha}, "percentile": percentile}
        for alpha, percentile in ((1e-4, 30), (1e-3, 30), (1e-2, 30), (1e-2, 10), (1e-3, 10), (1e-2, 50))
    ],
}

OBP = {
    "LinUCB": [{"policy": "LinUCB", "epsilon": width} for width in (1.0, 0.5, 0.25, 0.1, 0.05, 0.0)],
    "LinTS": [{"policy": "LinTS"}],
    "LinEpsilonGreedy": [{"policy": "LinEpsilonGreedy", "epsilon": share} for share in (0.2, 0.1, 0.05, 0.02, 0.01, 0.0)],
    "LogisticUCB": [
        {"policy": "LogisticUCB", "alpha_": 1.0, "lambda_": lam, "epsilon": width}
        for lam, width in ((1.0, 1.0), (1.0, 0.1), (10.0, 1.0), (10.0, 0.1), (10.0, 0.3), (1.0, 0.03))
    ],
    "LogisticTS": [
        {"policy": "LogisticTS", "alpha_": alpha, "lambda_": lam}
        for alpha, lam in ((1.0, 1.0), (0.3, 1.0), (0.1, 1.0), (1.0, 10.0), (0.3, 10.0), (3.0, 10.0))
    ],
}

PEERS: dict[str, dict[str, list[dict]]] = {
    "vowpalwabbit": VOWPAL,
    "mabwiser": MABWISER,
    "contextualbandits": CONTEXTUALBANDITS,
    "obp": OBP,
}

BINARY_ONLY = {
    ("contextualbandits", "AdaptiveGreedy"),
    ("obp", "LogisticUCB"),
    ("obp", "LogisticTS"),
}
"""Take rewards of 0 and 1 only: left out of mushroom."""

SLOW = {
    ("contextualbandits", "LinTS"),
    ("obp", "LinTS"),
    ("obp", "LogisticUCB"),
    ("obp", "LogisticTS"),
    ("mabwiser", "LinTS"),
}
"""Left out at 100 arms, where a play takes minutes."""

SLOWEST = {("contextualbandits", "AdaptiveGreedy")}
"""Left out above 10 arms."""
