"""Decide and learn times, one process and one core at a time: medians over rows of the fastest of some plays, for other
work on the machine only ever adds. The driver of Vowpal Wabbit, which tells no single rounds, is timed by its CPU time."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import data
import play
import systems

REPEATS = 3
EVENTS = 1_000
SECONDS = 1.0
"""A play of a slow library ends after so long."""
BATCH = 1_000


def times(
    run: "play.Run", workloads: list[data.Workload], regret: dict, keep: Callable[[dict], None]
) -> None:
    """Times what was tuned on every workload; what is found is kept after each of them."""
    found = {}
    for workload in workloads:
        rows = [row for row in regret[workload.name]["rows"] if "reward" in row]
        events = data.load(run.folder(workload, 1))
        chosen = {row["algorithm"]: row["setting"] for row in rows if row["system"] == "proffer"}
        timed = ours(run, workload, chosen)
        timed += [peer(run, workload, events, row) for row in rows if row["system"] != "proffer"]
        found[workload.name] = timed
        keep(found)
        print(f"{workload.name}: timed", flush=True)


def ours(run: "play.Run", workload: data.Workload, chosen: dict[str, dict]) -> list[dict]:
    command = [run.bench, run.file(workload, 1), "--strategies", ",".join(chosen), "--events", str(EVENTS),
               "--settings", play.as_settings(workload, chosen), "--repeats", str(REPEATS)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return [{"system": "proffer", "algorithm": each["name"], "decide": each["decide"]["p50"],
             "learn": each["learn"]["p50"]} for each in told["strategies"]]


def peer(run: "play.Run", workload: data.Workload, events: data.Events, row: dict) -> dict:
    """One row at a time by the library's own calls; microseconds."""
    timed = {"system": row["system"], "algorithm": row["algorithm"]}
    try:
        plays = [one_by_one(workload, events, row) for _ in range(REPEATS)]
        timed |= min(plays, key=lambda each: each["decide"] + each["learn"])
        if row["system"] == "vowpalwabbit":
            timed["round"] = driver(run.work, timed.pop("log"), timed.pop("arguments"))
        elif row["system"] != "obp" and len(events.candidates[0]) == workload.arms:
            timed |= batches(workload, events, row)
    except Exception as error:  # As in `play.guarded`.
        timed["wrong"] = f"{type(error).__name__}: {error}"
    return timed


def made(workload: data.Workload, events: data.Events, row: dict):
    public = {"quick": False} if row["system"] == "mabwiser" else {}
    return systems.SYSTEMS[row["system"]](workload.arms, events.x.shape[1], 1, **row["setting"], **public)


def one_by_one(workload: data.Workload, events: data.Events, row: dict) -> dict:
    system = made(workload, events, row)
    if row["system"] == "vowpalwabbit":
        system.log = []
    decide, learn = [], []
    for x, candidates, rewards in zip(events.x[:EVENTS], events.candidates, events.rewards):
        start = time.perf_counter()
        at = system.decide(x, candidates)
        decided = time.perf_counter()
        system.learn(x, int(candidates[at]), (float(rewards[at]) - workload.low) / (workload.high - workload.low))
        decide.append(decided - start)
        learn.append(time.perf_counter() - decided)
        if sum(decide) + sum(learn) > SECONDS:
            break
    found = {"decide": median(decide), "learn": median(learn), "rows": len(learn)}
    if row["system"] == "vowpalwabbit":
        found |= {f"library_{part}": median(seconds) for part, seconds in system.seconds.items()}
        found |= {"log": system.log, "arguments": system.arguments}
    return found


def median(seconds: list[float]) -> float:
    """In microseconds."""
    return float(np.median(seconds)) * 1e6


def driver(work: Path, log: list[str], arguments: str) -> float:
    """CPU microseconds a round of Vowpal Wabbit's driver, which predicts and learns from the log's text.

    What it takes to start is measured with the first round alone and taken off.
    """
    def seconds(rounds: list[str]) -> float:
        file = work / "driver.vw"
        file.write_text("".join(rounds))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "vowpalwabbit", "--no_stdin", "-d", file, *arguments.split()]
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # Long enough that the start weighs little.
    many = log * (1 + 10_000 // (len(log) * (1 + len(log[0]) // 500)))
    empty = min(seconds(log[:1]) for _ in range(REPEATS))
    return min(seconds(many) - empty for _ in range(REPEATS)) / (len(many) - 1) * 1e6


def batches(workload: data.Workload, events: data.Events, row: dict) -> dict:
    """Rows in batches, where a library has calls for that; microseconds a row, after one batch to warm up."""
    system = made(workload, events, row)
    x = events.x[:BATCH]
    arms = np.random.default_rng(1).integers(workload.arms, size=len(x))
    rewards = np.array([float(events.rewards[at][arm]) for at, arm in enumerate(arms)])
    shares = (rewards - workload.low) / (workload.high - workload.low)
    system.learn(x[0], int(arms[0]), float(shares[0]))
    decide, learn = [], []
    for _ in range(REPEATS):
        start = time.perf_counter()
        system.learn_batch(x, arms, shares)
        learned = time.perf_counter()
        system.predict_batch(x)
        decide.append(time.perf_counter() - learned)
        learn.append(learned - start)
    return {"batch_decide": min(decide) / len(x) * 1e6, "batch_learn": min(learn) / len(x) * 1e6}
