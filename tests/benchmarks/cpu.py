"""How much CPU processes of this machine have used, from /proc: the standard library alone, so that every peer can import it."""

import os
import resource
from pathlib import Path


def own_cpu() -> float:
    """Seconds of CPU of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def database_cpu(folder: Path | None) -> float:
    """Seconds of CPU that the PostgreSQL server with this data folder and its children have used; 0 without one."""
    if folder is None:
        return 0.0
    return family_cpu(int((folder / "postmaster.pid").read_text().split()[0]))


def family_cpu(first: int) -> float:
    """Seconds of CPU of a running process, of its children that have ended and of everybody below it that runs."""
    used = process_cpu(first, ended=True)
    for path in Path(f"/proc/{first}/task").glob("*/children"):
        try:
            children = path.read_text().split()
        except OSError:  # the thread has ended meanwhile
            continue
        used += sum(family_cpu(int(child)) for child in children)
    return used


def process_cpu(pid: int, *, ended: bool = False) -> float:
    """Seconds of CPU of a running process, with its ended children if wanted; 0 where /proc does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")
