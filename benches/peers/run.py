#!/usr/bin/env python3
"""Runs Vowpal Wabbit, MABWiser, contextualbandits and Open Bandit Pipeline beside Proffer on the same events.

Installs the pinned libraries into target/peers/venv, makes the files, tunes everybody by the same budget, evaluates
the best settings over seeds, times decisions and learning, and writes target/peers/results.{json,md}. See README.md.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "peers"
VENV = WORK / "venv"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with digits/, mushroom/ and completejourney/, each with "
                        "events.full.ndjson.gz and offers.json; without it only the linear world is played")
    parser.add_argument("--quick", action="store_true", help="minutes: 2 seeds, 2 settings, 600 events of a file")
    parser.add_argument("--seeds", type=int, default=10, help="evaluation files of each workload [10]")
    parser.add_argument("--budget", type=int, help="settings tried of each algorithm [all of settings.py: 6]")
    parser.add_argument("--events", type=int, default=4_000, help="events of a file of the linear world [4000]")
    parser.add_argument("--public-events", type=int, default=0, help="events of a public set; 0 means all [0]")
    parser.add_argument("--strategies", help="of Proffer, separated by commas [all that `proffer simulate` knows]")
    parser.add_argument("--systems", default="vowpalwabbit,mabwiser,contextualbandits,obp", help="peers to run")
    parser.add_argument("--workloads", help="names, separated by commas [all]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="plays at the same time [one for each core]")
    parser.add_argument("--only", choices=["regret", "time"], help="leave the other part out, as results.json has it")
    parser.add_argument("--record", action="store_true", help="put the tables into benches/RESULTS.md, between marks")
    asked = parser.parse_args()
    if asked.quick:
        asked.seeds, asked.budget, asked.events, asked.public_events = 2, 2, 600, 600
    return asked


def install() -> None:
    """Makes the virtual environment, once, and goes on in it."""
    done = VENV / "installed"
    pins = (HERE / "requirements.txt").read_text()
    if not done.exists() or done.read_text() != pins:
        print(f"installing into {VENV}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        pip = [VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
        # It asks for Python below 3.11 and for PyTorch; its online policies need neither.
        subprocess.run([*pip, "--no-deps", "--ignore-requires-python", "obp==0.5.7"], check=True)
        done.write_text(pins)
    # One thread each: plays run side by side, and times are of one core.
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    python = str(VENV / "bin" / "python")
    os.execve(python, [python, __file__, *sys.argv[1:]], os.environ | threads | {"PYTHONDONTWRITEBYTECODE": "1"})


def build() -> tuple[Path, Path]:
    """The release binary and the benchmark's executable."""
    def executable(*command: str) -> Path:
        printed = subprocess.run(["cargo", *command, "--message-format=json"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
        found = [json.loads(line) for line in printed.stdout.splitlines()]
        wanted = "peers" if command[0] == "bench" else "proffer"
        return next(Path(line["executable"]) for line in found
                    if line.get("executable") and line["target"]["name"] == wanted)
    return executable("build", "--release", "--bin", "proffer"), executable("bench", "--bench", "peers", "--no-run")


def strategies_known(proffer: Path) -> list[str]:
    told = subprocess.run([proffer, "simulate", "--help"], check=True, capture_output=True, text=True).stdout
    return re.search(r"Strategies:\s*([\w\s,]+)\.", told)[1].replace(",", " ").split()


def main() -> None:
    asked = arguments()
    if Path(sys.prefix).resolve() != VENV.resolve():
        install()
    import data
    import play
    import report
    import timing

    proffer, bench = build()
    WORK.mkdir(parents=True, exist_ok=True)
    strategies = asked.strategies.split(",") if asked.strategies else strategies_known(proffer)
    named = asked.workloads.split(",") if asked.workloads else [workload.name for workload in data.WORKLOADS]
    workloads = [workload for workload in data.WORKLOADS if workload.name in named]
    run = play.Run(proffer, bench, WORK, strategies, asked)
    workloads = [workload for workload in workloads if run.make(workload)]
    store = WORK / "results.json"
    results = json.loads(store.read_text()) if asked.only and store.exists() else {}
    results["about"] = report.about(asked, strategies)

    def keep(part: str) -> Callable[[dict], None]:
        def put(found: dict) -> None:
            results[part] = found
            store.write_text(json.dumps(results, indent=1))
        return put

    if asked.only != "time":
        run.regret(workloads, keep("regret"))
    if asked.only != "regret":
        timing.times(run, workloads, results["regret"], keep("time"))
    text = report.markdown(results)
    (WORK / "results.md").write_text(text)
    print(text)
    if asked.record:
        report.record(ROOT / "benches" / "RESULTS.md", text)


if __name__ == "__main__":
    main()
