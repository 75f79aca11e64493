"""Tables from results. Measures nothing."""

import argparse
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARIES = ["vowpalwabbit", "mabwiser", "contextualbandits", "obp", "numpy", "scipy", "scikit-learn"]
BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"


def about(asked: argparse.Namespace, strategies: list[str]) -> dict:
    def line(*command: str) -> str:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "commit": line("git", "log", "-1", "--format=%s"),
        "changed": bool(line("git", "status", "--porcelain", "--untracked-files=no")),
        "machine": f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}, {platform.system()} "
                   f"{platform.release()}",
        "load": round(os.getloadavg()[0], 1),
        "versions": {"python": platform.python_version(), "rustc": line("rustc", "--version").split()[1]}
                    | {name: importlib.metadata.version(name) for name in LIBRARIES},
        "seeds": asked.seeds, "budget": asked.budget or 6, "strategies": strategies,
    }


def markdown(results: dict) -> str:
    told = results["about"]
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    changed = " and what was not committed" if told["changed"] else ""
    parts = [
        f"Commit: `{told['commit']}`{changed}. Machine: {told['machine']}; load {told['load']} at the start. {versions}. "
        f"{told['seeds']} seeds, {told['budget']} settings of each algorithm tried on the tuning file."
    ]
    for name, found in results.get("regret", {}).items():
        parts.append(regret_table(name, found))
    if "time" in results:
        parts.append(ratio_table(results))
        parts += [time_table(name, timed) for name, timed in results["time"].items()]
    return "\n\n".join(parts) + "\n"


def regret_table(name: str, found: dict) -> str:
    head = (
        f"**{name}**: {found['events']} events, {found['candidates']:.3g} candidates, {found['components']} components; "
        f"uniform {found['uniform']:.4f}, oracle {found['oracle']:.4f}; tuned on {found['tuning_events']} other events.\n\n"
        "| system | algorithm | reward (se) | regret per decision (se) | share of the gain | setting |\n"
        "|---|---|---|---|---|---|\n"
    )
    rows = sorted(found["rows"], key=lambda row: row.get("regret", float("inf")))
    return head + "\n".join(map(regret_row, rows))


def regret_row(row: dict) -> str:
    setting = ", ".join(f"{key} {value}" for key, value in row["setting"].items() if key not in ("options", "policy"))
    setting = " ".join(filter(None, [row["setting"].get("options"), setting])) or "none"
    start = f"| {row['system']} | {row['algorithm']} |"
    if "reward" not in row:
        return f"{start} could not be played: {(row['wrong'] or '').splitlines()[0:1]} | | | |"
    return (f"{start} {row['reward']:.4f} ({row['reward_se']:.4f}) | {row['regret']:.4f} ({row['regret_se']:.4f}) | "
            f"{100 * row['gain']:.0f} % | `{setting}` |")


def time_table(name: str, timed: list[dict]) -> str:
    head = (
        f"**{name}**, microseconds, one row at a time (medians)\n\n"
        "| system | algorithm | decide | learn | both | best documented bulk way: decide / learn, or a driver's round |\n"
        "|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(map(time_row, timed))


def time_row(row: dict) -> str:
    start = f"| {row['system']} | {row['algorithm']} |"
    if "decide" not in row:
        return f"{start} not timed: {row.get('wrong')} | | | |"
    bulk = ""
    if "round" in row:
        bulk = (f"driver {row['round']:.1f} a round; of the single rows, library calls alone: parse "
                f"{row['library_parse']:.0f}, decide {row['library_decide']:.1f}, learn {row['library_learn']:.1f}")
    elif "batch_decide" in row:
        bulk = f"batches of 1,000: {row['batch_decide']:.1f} / {row['batch_learn']:.1f}"
    if "wrong" in row:
        bulk += f" not timed otherwise: {row['wrong']}"
    return f"{start} {row['decide']:.1f} | {row['learn']:.1f} | {row['decide'] + row['learn']:.1f} | {bulk} |"


def best(rows: list[dict], system: str) -> dict | None:
    """The algorithm of a system that earned most on the tuning file: what its user would have taken."""
    played = [row for row in rows if row["system"] == system and "reward" in row]
    return max(played, key=lambda row: row["tuning"], default=None)


def ratio_table(results: dict) -> str:
    """Proffer's and each peer's best algorithm by the tuning file: regret and time side by side."""
    lines = [
        "Each system by the algorithm that earned most on the tuning file. Regret: Proffer's less the peer's, per decision, "
        "with the standard error of the differences by seed; below 0 Proffer is better. Times: how many times longer the "
        "peer takes to decide and learn than Proffer, one row at a time; of Vowpal Wabbit, its driver's round.\n",
        "| workload | Proffer | peer | regret difference (se) | time ratio |",
        "|---|---|---|---|---|",
    ]
    for name, found in results["regret"].items():
        ours = best(found["rows"], "proffer")
        timed = {(row["system"], row["algorithm"]): row for row in results["time"].get(name, [])}
        for system in dict.fromkeys(row["system"] for row in found["rows"] if row["system"] != "proffer"):
            peer = best(found["rows"], system)
            if ours is None or peer is None:
                continue
            differences = [theirs - own for own, theirs in zip(ours["per_seed"], peer["per_seed"], strict=True)]
            mean = sum(differences) / len(differences)
            spread = sum((each - mean) ** 2 for each in differences) / max(len(differences) - 1, 1)
            own, other = timed.get(("proffer", ours["algorithm"])), timed.get((system, peer["algorithm"]))
            ratio = ""
            if own and other and "decide" in other:
                taken = other.get("round", other["decide"] + other["learn"])
                ratio = f"{taken / (own['decide'] + own['learn']):.2g}"
            lines.append(
                f"| {name} | `{ours['algorithm']}` | {system} {peer['algorithm']} | {mean:+.4f} "
                f"({(spread / len(differences)) ** 0.5:.4f}) | {ratio} |"
            )
    return "\n".join(lines)


def record(file: Path, text: str) -> None:
    """Puts the tables between the marks; the words around them are people's."""
    written = file.read_text()
    before, _, rest = written.partition(BEGIN)
    if not rest:
        raise SystemExit(f"{file} has no `{BEGIN}`: put `{BEGIN}` and `{END}` where the tables belong")
    file.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.partition(END)[2]}")
