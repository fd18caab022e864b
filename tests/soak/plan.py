"""Which faults come on which days: drawn from the seed alone, every kind at least once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

# Faults of a kind in a year; at least one in a run, however short.
NIGHT: Mapping[str, int] = {
    "night_killed": 20,  # the process of the night dies in its middle
    "nights_missed": 6,  # the machine is off for one night or several
    "two_nights": 10,  # two nights are started at once
    "database_locked": 6,  # another connection holds the database for a moment
    "database_locked_out": 6,  # for longer than anybody waits
    "disk_full": 8,
    "clock_ahead": 4,  # the clock is a day fast one night, and put right in the morning
}
MAIL: Mapping[str, int] = {
    "mail_refuses": 6,
    "mail_puts_off": 4,
    "mail_hangs": 4,
    "mail_drops": 6,  # after the data: the mail may have left
    "mail_down": 4,
    "machine_stops_before_sending": 5,
    "machine_stops_after_sending": 5,
}
LEDGERS: Mapping[str, int] = {"ledger_stale": 3, "ledger_broken_lines": 6, "ledger_twice": 6, "import_killed": 4}
ANY: Mapping[str, int] = {"case_poisoned": 10, "worker_absent": 12}
KINDS = (*NIGHT, *MAIL, *LEDGERS, *ANY)
LONGEST_GAP = 10  # nights missed in a row
STALE_WEEKS = 2  # ledgers that do not come
MONDAY = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `size` in [0, 1) is its seeded chance: where in the night, how many days, which of several."""

    kind: str
    size: float


def draw(seed: int, first: date, days: int) -> dict[date, list[Fault]]:
    """Day -> the faults that come on it. Two of a group never share a day, nor do those that need days to pass."""
    chance = Random(f"{seed}/faults")
    found: dict[date, list[Fault]] = {}
    # The first days are for a town to get going, the last ones for everything to be mended again.
    quiet_begin, quiet_end = min(5, days // 6), min(6, days // 6)
    free = [first + timedelta(days=n) for n in range(quiet_begin, days - quiet_end)]

    def put(kinds: Mapping[str, int], among: list[date], spans: Mapping[str, int]) -> None:
        left = list(among)
        for kind, a_year in sorted(kinds.items(), key=lambda item: -spans.get(item[0], 1)):
            for _time in range(max(1, round(a_year * days / 365))):
                span = spans.get(kind, 1)
                room = [one for one in left if span == 1 or one + timedelta(days=span) < first + timedelta(days=days)]
                if not room:
                    continue
                day = chance.choice(room)
                found.setdefault(day, []).append(Fault(kind, chance.random()))
                left = [one for one in left if not -1 <= (one - day).days < span + (span > 1)]

    gap = min(LONGEST_GAP, max(2, days // 15))
    put(NIGHT, free, {"nights_missed": gap})
    put(MAIL, [day for day in free if day.weekday() < 5], dict.fromkeys(MAIL, 2))
    put(LEDGERS, [day for day in free if day.weekday() == MONDAY], {"ledger_stale": 7 * STALE_WEEKS - 1})
    put(ANY, free, {"case_poisoned": 3})
    return found


def gap_of(fault: Fault, days: int) -> int:
    """How many nights are missed: one to ten; fewer in a short run."""
    longest = min(LONGEST_GAP, max(2, days // 15))
    return 1 + int(fault.size * longest)
