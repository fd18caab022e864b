"""What time given is worth, and a building's year in counts that point at nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

FEWEST = 3  # households behind a shown count: of fewer, neighbours could tell who they are
KINDS = ("event", "emporio", "training", "neighbour_help")


@dataclass(frozen=True, slots=True)
class Count:
    """One kind of participation in a year; None: some, but fewer than FEWEST households stand behind it."""

    what: str
    households: int | None
    times: int | None
    hours: int | None


@dataclass(frozen=True, slots=True)
class BuildingYear:
    """A building's year. The whole holds only what is shown: nothing can be told by taking away."""

    kinds: tuple[Count, ...]
    whole: Count
    months: tuple[int | None, ...]  # participations, January first; None as in Count


def points_for(hours: int, points_per_hour: int) -> int:
    """What hours given earn at the emporio."""
    return hours * points_per_hour


def building_year(rows: Iterable[tuple[str, int, int, int, int]]) -> BuildingYear:
    """Counts of (what, month, household, times, hours) rows, small ones left out."""
    known = list(rows)
    kinds = tuple(_count(what, [row for row in known if row[0] == what]) for what in KINDS)
    shown = {one.what for one in kinds if one.households is not None}
    kept = [row for row in known if row[0] in shown]
    months = tuple(_count("month", [row for row in kept if row[1] == month]).times for month in range(1, 13))
    # One month left out among eleven shown could be told from the whole year.
    if months.count(None) == 1:
        smallest = min((n for n in months if n), default=None)
        months = tuple(None if n == smallest else n for n in months)
    return BuildingYear(kinds, _count("whole", kept), months)


def _count(what: str, rows: list[tuple[str, int, int, int, int]]) -> Count:
    households = len({row[2] for row in rows})
    if 0 < households < FEWEST:
        return Count(what, None, None, None)
    return Count(what, households, sum(row[3] for row in rows), sum(row[4] for row in rows))
