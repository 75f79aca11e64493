"""Files of full feedback that every system plays: a made-up linear world, and public sets split and shuffled.

Plays nothing. A file's tuning part and its evaluation parts share no event.
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TUNING = 0
"""The seed whose file is for tuning only; evaluation has the seeds from 1."""


@dataclass(frozen=True)
class Workload:
    """What is played: its name, where it comes from, and what it takes."""

    name: str
    folder: str | None
    """Of the data folder; nothing for the linear world."""
    arms: int
    components: int
    """Of the feature vector with its intercept, in the linear world."""
    low: float
    high: float
    """Rewards lie between these; every system learns (reward - low) / (high - low)."""
    slow: bool = False
    """Too large for a system that takes more than a few milliseconds a decision."""

    def settings(self) -> str:
        return f"reward_min={self.low:g},reward_max={self.high:g}"


WORKLOADS = [
    Workload("linear-10x16", None, 10, 16, 0, 1),
    Workload("linear-10x32", None, 10, 32, 0, 1),
    Workload("linear-100x16", None, 100, 16, 0, 1, slow=True),
    Workload("linear-100x32", None, 100, 32, 0, 1, slow=True),
    Workload("digits", "digits", 10, 0, 0, 1),
    Workload("mushroom", "mushroom", 2, 0, -35, 5),
    Workload("completejourney", "completejourney", 27, 0, 0, 1),
]

TUNING_EVENTS = {"digits": 600, "mushroom": 2_000}
"""The first events of these files are for tuning, the others for evaluation."""


def make(workload: Workload, data: Path | None, folder: Path, seed: int, events: int) -> bool:
    """Writes `events.full.ndjson` and `offers.json` into the folder; says whether that can be done."""
    if workload.folder is None:
        lines, best = linear(workload, seed, events)
        offers = [{"offer_id": f"o{arm:03}", "name": f"Offer {arm}"} for arm in range(workload.arms)]
    elif data is None or not (data / workload.folder).is_dir():
        return False
    else:
        lines, best = public(workload, data / workload.folder, seed, events), None
        offers = json.loads((data / workload.folder / "offers.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "offers.json").write_text(json.dumps(offers))
    (folder / "events.full.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "best.json").write_text(json.dumps(best))
    return True


def linear(workload: Workload, seed: int, events: int) -> tuple[list[dict], float]:
    """The linear world of one seed, and what always showing the truly best offer earns on it.

    x is standard normal, cut at 3 and rounded to 4 decimals; each arm has a base rate in [0.1, 0.4] and a direction of
    length 1: P(reward = 1) = base + 0.15 x'direction, cut to [0, 1]. Another seed: other arms, contexts and rewards.
    """
    chance = np.random.default_rng([seed, workload.arms, workload.components])
    width = workload.components - 1
    base = chance.uniform(0.1, 0.4, workload.arms)
    direction = chance.normal(size=(workload.arms, width))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    x = np.clip(chance.normal(size=(events, width)), -3, 3).round(4)
    rate = np.clip(base + 0.15 * x @ direction.T, 0, 1)
    rewards = (chance.random(rate.shape) < rate).astype(int)
    best = float(rewards[np.arange(events), rate.argmax(axis=1)].mean())
    lines = [
        {
            "id": f"linear-{seed}-{event}",
            "at": "2026-01-01T00:00:00Z",
            "customer_id": f"c{event}",
            "context": {f"x{at:02}": value for at, value in enumerate(x[event].tolist())},
            "rewards": {f"o{arm:03}": reward for arm, reward in enumerate(rewards[event].tolist())},
        }
        for event in range(events)
    ]
    return lines, best


def public(workload: Workload, folder: Path, seed: int, events: int) -> list[dict]:
    """One part of a public set: for tuning, or shuffled by the seed for evaluation.

    completejourney is split by household and keeps its order, for its events are of real days: there only the numbers
    drawn differ between seeds.
    """
    with gzip.open(folder / "events.full.ndjson.gz", "rt") as file:
        lines = [json.loads(line) for line in file]
    if workload.name in TUNING_EVENTS:
        split = TUNING_EVENTS[workload.name]
        lines = lines[:split] if seed == TUNING else lines[split:]
        if seed != TUNING:
            order = np.random.default_rng(seed).permutation(len(lines))
            times = [line["at"] for line in lines]
            lines = [lines[at] | {"at": time} for at, time in zip(order, times, strict=True)]
    else:
        third = [hashlib.sha256(line["customer_id"].encode()).digest()[0] % 3 == 0 for line in lines]
        lines = [line for line, tuning in zip(lines, third, strict=True) if tuning == (seed == TUNING)]
    # Draws are keyed with the id: another seed, another draw.
    return [line | {"id": f"{line['id']}-{seed}"} for line in lines[: events or None]]


@dataclass
class Events:
    """A file as every system sees it: Proffer's own vectors, the intercept first."""

    x: np.ndarray
    candidates: list[np.ndarray]
    rewards: list[np.ndarray]
    best: float | None
    """What the best policy that knows the truth earns, in the linear world."""

    def oracle(self) -> float:
        """What is the most that could be earned: by the truly best offers if known, else by each event's best."""
        return self.best if self.best is not None else float(np.mean([rewards.max() for rewards in self.rewards]))

    def uniform(self) -> float:
        return float(np.mean([rewards.mean() for rewards in self.rewards]))


def load(folder: Path) -> Events:
    """Reads what `cargo bench --bench peers -- FILE --vectors` printed of a file."""
    with (folder / "vectors.ndjson").open() as file:
        lines = [json.loads(line) for line in file]
    return Events(
        np.array([line["x"] for line in lines]),
        [np.array(line["candidates"]) for line in lines],
        [np.array(line["rewards"], dtype=float) for line in lines],
        json.loads((folder / "best.json").read_text()),
    )
