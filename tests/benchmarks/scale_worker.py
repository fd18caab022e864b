"""One worker of the scale benchmark, in a process of its own: gets ready, waits for a line, works, says what it took.

`clocks`: shards of the clock step of the night that the benchmark has begun. `night`: the whole night, every step of it.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan, sharing
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store.crypto import FieldCipher, new_key
from ponte_workflow.store.engine import Store, open_engine
from ponte_workflow.store.nights import StepCounts
from tests.benchmarks.bench_clocks import AT, BATCH, ON
from tests.benchmarks.cpu import own_cpu


def main() -> None:
    """Print "ready", read a line, work, print what it took as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=("clocks", "night"))
    parser.add_argument("--database", required=True)
    parser.add_argument("--lock", type=Path, required=True)
    given = parser.parse_args()
    store, pathways = Store(open_engine(given.database), FieldCipher([new_key()])), Pathways(None)
    plan = Plan(store, pathways, given.lock, "plain", batch_size=BATCH)
    with store.reading() as tx:
        for (version,) in tx.connection.exec_driver_sql("SELECT id FROM pathway_version").fetchall():
            pathways.pinned(tx, version)
    print("ready", flush=True)
    sys.stdin.readline()
    begun, cpu = time.perf_counter(), own_cpu()
    steps = _night(plan) if given.work == "night" else _clocks(plan)
    spent = {"wall": time.perf_counter() - begun, "cpu": own_cpu() - cpu, "steps": steps}
    spent["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(spent), flush=True)
    sys.stdin.readline()  # until then the server's part of the connection lives, and its CPU can be read
    store.engine.dispose()


def _clocks(plan: Plan) -> dict[str, float]:
    night = nights.begin(plan, ON, ON, AT, again=True)
    sharing.finish_step(night, nights.BY_NAME["clocks"])
    return {}


def _night(plan: Plan) -> dict[str, float]:
    """Seconds of every step."""
    night, taken = nights.begin(plan, ON, ON, AT), {}
    for spec in nights.STEPS:
        begun = time.perf_counter()
        nights.open_step(night, spec)
        counts = nights.finish_step(night, spec)
        assert isinstance(counts, StepCounts)
        taken[spec.name] = time.perf_counter() - begun
    return taken


if __name__ == "__main__":
    main()
