"""`python -m tests.soak --seed N --days D --households H [--until DATE]`: a run with a progress bar; exit code 1 if it fails."""

import argparse
import cProfile
import json
import sys
import tempfile
import time
import traceback
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from tests.soak.fingerprint import fingerprint
from tests.soak.run import FIRST_DAY, Shape, Soak, SoakFailure, begin, end


def main(arguments: list[str]) -> int:
    """Play a run and tell how it went."""
    given = _read(arguments)
    shape = Shape(given.seed, given.days, given.households, given.until)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="ponte-soak-"))
    console, begun = Console(stderr=True), time.monotonic()
    profile = cProfile.Profile() if given.profile else None
    console.print(f"{shape.command}\njournal and database: {folder}")
    with console.status("the town moves in"):
        soak = begin(shape, folder, database_url=given.database_url)
    if profile:
        profile.enable()
    try:
        _play(soak, console)
    except SoakFailure as failure:
        if failure.__cause__ is not None:
            traceback.print_exception(failure.__cause__)
        console.print(str(failure), markup=False, soft_wrap=True)
        return 1
    finally:
        if profile:
            profile.disable()
            profile.dump_stats(given.profile)
        end_after = time.monotonic() - begun
    told = {
        "seconds": round(end_after, 1),
        "faults": dict(sorted(soak.journal.met.items())),
        "looked_at_promises": soak.verified,
        "steps": sum(soak.office.steps.values()),
        "refused": dict(soak.office.refused),
        "rows": {table: soak.rows(table) for table in ("cases", "history", "outbox", "night", "movement")},
        "fingerprint": fingerprint(soak.ponte.store) if given.fingerprint else None,
    }
    end(soak)
    print(json.dumps(told, indent=1))  # noqa: T201
    return 0


def _play(soak: Soak, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task("days", total=(soak.last_day - FIRST_DAY).days + 1)
        soak.play(lambda day: bar.update(task, advance=1, description=day.isoformat()))


def _read(arguments: list[str]) -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--days", type=int, default=365)
    reader.add_argument("--households", type=int, default=2000)
    reader.add_argument("--until", type=date.fromisoformat, help="stop after that day; the faults stay the same")
    reader.add_argument("--database-url", help="an empty PostgreSQL database instead of a SQLite file")
    reader.add_argument("--folder", type=Path, help="where the run lives; default: a new folder for temporary files")
    reader.add_argument("--fingerprint", action="store_true", help="tell what was left, table by table")
    reader.add_argument("--profile", help="write a profile of this process to that file")
    return reader.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
