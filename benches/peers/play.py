"""Plays: every algorithm tuned on one file, then played on one file for each seed. Times nothing."""

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import data
import settings
import systems


@dataclass(frozen=True)
class Task:
    """One play."""

    system: str
    algorithm: str
    setting: str
    """As JSON."""
    workload: str
    folder: str
    seed: int


@lru_cache(maxsize=2)
def loaded(folder: str) -> data.Events:
    return data.load(Path(folder))


def play(task: Task) -> float | None:
    """The mean reward of one play of a peer, learning online from its own choices; nothing if it cannot be played."""
    workload = next(known for known in data.WORKLOADS if known.name == task.workload)
    events = loaded(task.folder)
    arms = workload.arms
    system = systems.SYSTEMS[task.system](arms, events.x.shape[1], task.seed + 1, **json.loads(task.setting))
    earned = 0.0
    for x, candidates, rewards in zip(events.x, events.candidates, events.rewards, strict=True):
        at = system.decide(x, candidates)
        reward = float(rewards[at])
        system.learn(x, int(candidates[at]), (reward - workload.low) / (workload.high - workload.low))
        earned += reward
    return earned / len(events.rewards)


def guarded(task: Task) -> tuple[float | None, str | None]:
    try:
        return play(task), None
    except Exception as error:  # What one library cannot do is told in the table; the others go on.
        return None, f"{type(error).__name__}: {error}"


@dataclass
class Run:
    """Where everything is, and what was asked for."""

    proffer: Path
    bench: Path
    work: Path
    strategies: list[str]
    asked: argparse.Namespace

    def folder(self, workload: data.Workload, seed: int) -> Path:
        return self.work / "data" / f"{workload.name}-{self.asked.events}-{self.asked.public_events}" / str(seed)

    def file(self, workload: data.Workload, seed: int) -> str:
        return str(self.folder(workload, seed) / "events.full.ndjson")

    def make(self, workload: data.Workload) -> bool:
        """Makes the files of a workload and their vectors, as far as they are not there."""
        events = self.asked.public_events if workload.folder else self.asked.events
        for seed in range(self.asked.seeds + 1):
            folder = self.folder(workload, seed)
            if (folder / "vectors.ndjson").exists():
                continue
            if not data.make(workload, self.asked.data, folder, seed, events):
                print(f"{workload.name}: left out, there is no `{workload.folder}` in --data", flush=True)
                return False
            command = [self.bench, self.file(workload, seed), "--vectors", "--settings", workload.settings()]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            (folder / "vectors.ndjson").write_bytes(printed)
        return True

    def peers(self, workload: data.Workload) -> dict[tuple[str, str], list[dict]]:
        """What is tried of the peers, within the budget."""
        tried = {}
        for system in self.asked.systems.split(","):
            for algorithm, grid in settings.PEERS[system].items():
                if workload.slow and (system, algorithm) in settings.SLOW:
                    continue
                if workload.arms > 10 and (system, algorithm) in settings.SLOWEST:
                    continue
                if workload.name == "mushroom" and (system, algorithm) in settings.BINARY_ONLY:
                    continue
                tried[system, algorithm] = grid[: self.asked.budget]
        return tried

    def ours(self) -> dict[str, list[dict]]:
        """What is tried of Proffer's strategies, within the budget."""
        return {name: settings.PROFFER.get(name, settings.OTHERS)[: self.asked.budget] for name in self.strategies}

    def regret(self, workloads: list[data.Workload], keep: Callable[[dict], None]) -> None:
        """Plays all workloads; what is found is kept after each of them."""
        found = {}
        with get_context("spawn").Pool(self.asked.jobs) as pool:
            for workload in workloads:
                start = time.time()
                found[workload.name] = self.tuned_and_played(workload, pool)
                keep(found)
                print(f"{workload.name}: {time.time() - start:.0f} s", flush=True)

    def tuned_and_played(self, workload: data.Workload, pool) -> dict:
        peers, ours = self.peers(workload), self.ours()
        seeds = range(1, self.asked.seeds + 1)

        def task(system: str, algorithm: str, setting: dict, seed: int) -> Task:
            text = json.dumps(setting)
            return Task(system, algorithm, text, workload.name, str(self.folder(workload, seed)), seed)

        tuning = [task(*name, setting, data.TUNING) for name, grid in peers.items() for setting in grid]
        played = dict(zip(tuning, pool.map(guarded, tuning, chunksize=1), strict=True))
        chosen: dict[tuple[str, str], tuple[dict, float | None, str | None]] = {}
        for name, grid in peers.items():
            outcomes = [(setting, *played[task(*name, setting, data.TUNING)]) for setting in grid]
            chosen[name] = max(outcomes, key=lambda outcome: -np.inf if outcome[1] is None else outcome[1])
        for name, (setting, reward, wrong) in self.tuned(workload, ours).items():
            chosen["proffer", name] = setting, reward, wrong

        final = [task(*name, chosen[name][0], seed) for seed in seeds for name in peers if chosen[name][1] is not None]
        played = dict(zip(final, pool.map(guarded, final, chunksize=1), strict=True))
        own = {name: setting for (system, name), (setting, reward, _) in chosen.items()
               if system == "proffer" and reward is not None}
        # In threads: each of them waits for a process.
        with ThreadPoolExecutor(self.asked.jobs) as threads:
            simulated = list(threads.map(lambda seed: self.simulate(workload, own, seed)[0], seeds))
        marks = [loaded(str(self.folder(workload, seed))) for seed in seeds]
        oracle, uniform = np.array([each.oracle() for each in marks]), np.array([each.uniform() for each in marks])
        rows = []
        for (system, algorithm), (setting, tuning_reward, wrong) in chosen.items():
            row = {"system": system, "algorithm": algorithm, "setting": setting, "tuning": tuning_reward, "wrong": wrong}
            if system == "proffer":
                rewards = [each.get(algorithm) for each in simulated]
            else:
                rewards = [played.get(task(system, algorithm, setting, seed), (None, wrong))[0] for seed in seeds]
            if all(reward is not None for reward in rewards):
                rewards = np.array(rewards)
                row |= {"per_seed": rewards.tolist(), **mean_and_error("reward", rewards)}
                row |= mean_and_error("regret", oracle - rewards)
                row |= mean_and_error("gain", (rewards - uniform) / (oracle - uniform))
            rows.append(row)
        return {
            "events": len(marks[0].rewards), "components": marks[0].x.shape[1], "seeds": len(oracle),
            "candidates": float(np.mean([len(each) for each in marks[0].candidates])),
            "tuning_events": len(loaded(str(self.folder(workload, data.TUNING))).rewards),
            "oracle": float(oracle.mean()), "uniform": float(uniform.mean()), "rows": rows,
        }

    def tuned(self, workload: data.Workload, ours: dict[str, list[dict]]) -> dict[str, tuple]:
        """For each of our strategies: the best setting on the tuning file, what it earned, and what was wrong."""
        outcomes = {name: [] for name in ours}
        rounds = [{name: grid[at] for name, grid in ours.items() if at < len(grid)}
                  for at in range(max(map(len, ours.values())))]
        with ThreadPoolExecutor(self.asked.jobs) as threads:
            simulated = threads.map(lambda tried: self.simulate(workload, tried, data.TUNING), rounds)
            for tried, (rewards, wrong) in zip(rounds, simulated, strict=True):
                for name, setting in tried.items():
                    outcomes[name].append((setting, rewards.get(name), wrong.get(name)))
        return {name: max(each, key=lambda outcome: -np.inf if outcome[1] is None else outcome[1])
                for name, each in outcomes.items()}

    def simulate(self, workload: data.Workload, tried: dict[str, dict], seed: int) -> tuple[dict, dict]:
        """Mean reward by strategy, and what was wrong with those that could not be played."""
        def run(tried: dict[str, dict]) -> subprocess.CompletedProcess:
            command = [self.proffer, "simulate", "--replay", self.file(workload, seed), "--strategies", ",".join(tried),
                       "--settings", as_settings(workload, tried), "--seeds", "1", "--threads", "1", "--format", "json"]
            return subprocess.run(command, capture_output=True, text=True)
        done = run(tried)
        if done.returncode != 0 and len(tried) > 1:
            # One that is refused must not take the others with it.
            rewards, wrong = {}, {}
            for name, setting in tried.items():
                one = self.simulate(workload, {name: setting}, seed)
                rewards, wrong = rewards | one[0], wrong | one[1]
            return rewards, wrong
        if done.returncode != 0:
            return {}, dict.fromkeys(tried, done.stderr.strip())
        return {each["name"]: each["mean_reward"] for each in json.loads(done.stdout)["strategies"]}, {}


def as_settings(workload: data.Workload, tried: dict[str, dict]) -> str:
    """As `--settings` of `proffer simulate` wants them."""
    each = [f"{name}.{key}={value}" for name, setting in tried.items() for key, value in setting.items()]
    return ",".join([workload.settings(), *each])


def mean_and_error(name: str, values: np.ndarray) -> dict[str, float]:
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return {name: float(values.mean()), f"{name}_se": error}
