"""The other libraries behind two verbs, `decide` and `learn`, one row at a time. Chooses no settings.

Vectors come with their intercept in component 0; rewards come as shares of their range. No library takes candidate
sets by itself, but Vowpal Wabbit: the others score or rank all arms, and the best of the candidates is taken.
"""

import importlib
import sys
import time
import types
from collections import defaultdict
from unittest import mock

import numpy as np


class VowpalWabbit:
    """`--cb_explore_adf` with the offer's id as its feature, crossed with the context: `-q sa`."""

    label = "vw"

    def __init__(self, arms: int, components: int, seed: int, cost: str = "loss", options: str = "") -> None:
        import vowpalwabbit

        self.kind = vowpalwabbit.LabelType.CONTEXTUAL_BANDIT
        self.arguments = f"--cb_explore_adf -q sa --quiet --random_seed {seed} {options}"
        self.vw = vowpalwabbit.Workspace(self.arguments)
        self.chance = np.random.default_rng(seed)
        self.cost = (lambda share: 1 - share) if cost == "loss" else (lambda share: -share)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        """What the library's own calls took, apart from making text and drawing."""
        self.log: list[str] | None = None
        """Rounds as text, for the driver, if they are to be kept."""

    def decide(self, x: np.ndarray, candidates: np.ndarray) -> int:
        start = time.perf_counter()
        # The intercept is Vowpal Wabbit's own constant; zeros are left out, as in any of its files.
        shared = "shared |s " + " ".join(f"{at}:{x[at]:.6g}" for at in np.flatnonzero(x) if at > 0)
        self.lines = [shared, *(f"|a {arm}" for arm in candidates)]
        rendered = time.perf_counter()
        self.examples = self.vw.parse("\n".join(self.lines), self.kind)
        parsed = time.perf_counter()
        p = np.array(self.vw.predict(self.examples))
        self.seconds["text"].append(rendered - start)
        self.seconds["parse"].append(parsed - rendered)
        self.seconds["decide"].append(time.perf_counter() - parsed)
        at = min(int(np.searchsorted(np.cumsum(p), self.chance.random() * p.sum(), side="right")), len(p) - 1)
        self.picked, self.probability = at, p[at]
        return at

    def learn(self, x: np.ndarray, arm: int, share: float) -> None:
        label = f"0:{self.cost(share):.6g}:{self.probability:.6g}"
        start = time.perf_counter()
        self.examples[1 + self.picked].set_label_string(label)
        self.vw.learn(self.examples)
        self.vw.finish_example(self.examples)
        self.seconds["learn"].append(time.perf_counter() - start)
        if self.log is not None:
            lines = [*self.lines]
            lines[1 + self.picked] = f"{label} {lines[1 + self.picked]}"
            self.log.append("\n".join(lines) + "\n\n")


class Mabwiser:
    """Disjoint linear policies."""

    def __init__(self, arms: int, components: int, seed: int, policy: str = "LinUCB", quick: bool = True, **settings):
        from mabwiser.mab import MAB, LearningPolicy

        self.arms, self.quick = arms, quick
        self.mab = MAB(list(range(arms)), getattr(LearningPolicy, policy)(**settings), seed=seed)
        self.chance = np.random.default_rng(seed)
        self.fitted = False

    def decide(self, x: np.ndarray, candidates: np.ndarray) -> int:
        if not self.fitted:
            return int(self.chance.integers(len(candidates)))
        if len(candidates) == self.arms:
            return self.mab.predict(x[None])
        expected = self.mab.predict_expectations(x[None])
        return int(np.argmax([expected[arm] for arm in candidates]))

    def learn(self, x: np.ndarray, arm: int, share: float) -> None:
        row = np.array([arm]), np.array([share]), x[None]
        if not self.fitted:
            self.mab.fit(*row)
            self.fitted = True
        elif self.quick:
            # What `partial_fit` does for the arm of the row; it also copies every other arm and throws that away.
            self.mab._imp._fit_arm(arm, *row)
        else:
            self.mab.partial_fit(*row)

    def predict_batch(self, x: np.ndarray) -> None:
        self.mab.predict(x)

    def learn_batch(self, x: np.ndarray, arms: np.ndarray, shares: np.ndarray) -> None:
        self.mab.partial_fit(arms, shares, x)


class ContextualBandits:
    """Disjoint linear policies, and others over an incremental logistic regression."""

    def __init__(self, arms: int, components: int, seed: int, policy: str = "LinUCB", sgd: dict | None = None, **settings):
        from contextualbandits import online

        if sgd is None:
            # The intercept is a component of the vector.
            settings |= {"fit_intercept": False, "njobs": 1}
        else:
            from sklearn.linear_model import SGDClassifier

            base = SGDClassifier(loss="log_loss", random_state=seed, **sgd)
            settings |= {"base_algorithm": base, "batch_train": True, "njobs": 1}
        self.policy = getattr(online, policy)(nchoices=arms, random_state=seed, **settings)
        self.chance = np.random.default_rng(seed)
        self.fitted = False

    def decide(self, x: np.ndarray, candidates: np.ndarray) -> int:
        if not self.fitted:
            return int(self.chance.integers(len(candidates)))
        scores = self.policy.decision_function(x[None])[0][candidates]
        return int(np.argmax(scores))

    def learn(self, x: np.ndarray, arm: int, share: float) -> None:
        self.policy.partial_fit(x[None], np.array([arm]), np.array([share]))
        self.fitted = True

    def predict_batch(self, x: np.ndarray) -> None:
        self.policy.predict(x)

    def learn_batch(self, x: np.ndarray, arms: np.ndarray, shares: np.ndarray) -> None:
        self.policy.partial_fit(x, arms, shares)


class OpenBanditPipeline:
    """Its online policies; asked for a ranking of all arms, of which the first candidate is taken."""

    def __init__(self, arms: int, components: int, seed: int, policy: str = "LinUCB", **settings) -> None:
        linear, logistic = online_policies()
        kind = getattr(linear, policy, None) or getattr(logistic, policy)
        self.policy = kind(dim=components, n_actions=arms, len_list=arms, random_state=seed, **settings)

    def decide(self, x: np.ndarray, candidates: np.ndarray) -> int:
        ranking = self.policy.select_action(x[None])
        place = np.empty(len(ranking), dtype=int)
        place[ranking] = np.arange(len(ranking))
        return int(np.argmin(place[candidates]))

    def learn(self, x: np.ndarray, arm: int, share: float) -> None:
        self.policy.update_params(action=arm, reward=share, context=x[None])


def online_policies() -> tuple[types.ModuleType, types.ModuleType]:
    """Open Bandit Pipeline's online policies alone: loaded as a whole it needs PyTorch, which they do not use."""
    if "obp.policy.linear" not in sys.modules:
        spec = importlib.util.find_spec("obp")
        for name, folder in [("obp", ""), ("obp.policy", "/policy")]:
            package = types.ModuleType(name)
            package.__path__ = [spec.submodule_search_locations[0] + folder]
            sys.modules[name] = package
        with mock.patch.dict(sys.modules, {"torch": mock.MagicMock()}):
            utils = importlib.import_module("obp.utils")
            modules = [importlib.import_module(f"obp.policy.{name}") for name in ("linear", "logistic")]
        sys.modules["obp.utils"] = utils
        for module in modules:
            sys.modules[module.__name__] = module
    return sys.modules["obp.policy.linear"], sys.modules["obp.policy.logistic"]


SYSTEMS = {
    "vowpalwabbit": VowpalWabbit,
    "mabwiser": Mabwiser,
    "contextualbandits": ContextualBandits,
    "obp": OpenBanditPipeline,
}
