"""The town of the soak: homes that pay, fall behind and recover by seeded chance, and the files that their landlord sends."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from ponte_workflow.demo import ledger_files as files
from ponte_workflow.demo.people import Person, household
from ponte_workflow.demo.rent import CAUSES, DUE_DAY, EPOCH, Movement

MONTHS_BEFORE = 13  # of ledger, so that the night can tell old arrears from new ones
LATELY = 4  # in the last months before the first night some have fallen behind already
LOSES_INCOME = 0.008  # of the homes that pay, each month
MANY = 700  # homes; in a smaller town more of them fall behind, so that there is something to do
RECOVERS = 0.07  # of those that fell behind, each month: everything at once
STOPS_AGAIN = 0.01  # of those that pay a plan, each month
LATE, SLIPS = 0.06, 0.004  # pay some days late; forget one month's service charges
HOMES_OF_A_BUILDING = 50
QUARTERS = (("Sanpolino", "Smeraldo", files.CONDOMINIUM), ("San Polo", "Cimabue", files.LANDLORD))
LEDGERS = (
    (files.LANDLORD_LEDGER, files.LANDLORD, "cp1252"),
    (files.CONDOMINIUM_LEDGER, files.CONDOMINIUM, "utf-8-sig"),
)


@dataclass(slots=True)
class Home:
    """A tenancy, its people, and how it pays just now; amounts in cents."""

    number: int
    rent: int
    service: int
    people: tuple[Person, ...]
    behind: bool = False
    share: int = 100  # percent of the charges that it pays
    owed: dict[str, int] = field(default_factory=lambda: {"CANONE": 0, "SPESE": 0})
    plans: int = 0

    @property
    def code(self) -> str:
        """The tenancy's code in the landlord's files."""
        return f"{410_000 + self.number}"

    @property
    def dwelling(self) -> str:
        """The dwelling's code."""
        return f"UI-{self.number:05d}"

    @property
    def place(self) -> tuple[str, str, str]:
        """Quarter, kind of building, who bills the service charges: one quarter has an administrator of its own."""
        return QUARTERS[self.number % 2]

    def creditor(self, item: str) -> str:
        """Who bills an item."""
        return files.LANDLORD if item == "CANONE" else self.place[2]


class Town:
    """All homes. The same seed and the same plans signed on the same days give the same files, byte by byte."""

    def __init__(self, seed: int, homes: int, first_day: date) -> None:
        random = Random(f"{seed}/homes")
        self.seed, self.loses_income = seed, LOSES_INCOME * max(1, MANY / homes)
        self.homes = [
            Home(n, random.randint(160, 620) * 50, random.randint(56, 176) * 50, household(random, n, first_day))
            for n in range(homes)
        ]
        self._by_code = {home.code: home for home in self.homes}
        self._lines: dict[int, list[tuple[Home, Movement]]] = {}  # by the month in which they are booked
        first = _month(first_day)
        self._played = first - MONTHS_BEFORE - 1
        for month in range(first - MONTHS_BEFORE, first):
            self._play(month, falling=month >= first - LATELY)

    def whole_export(self, folder: Path, up_to: date) -> tuple[Path, ...]:
        """The four files with which a town begins."""
        people = (
            files.person_line(home.code, ordinal, person)
            for home in self.homes
            for ordinal, person in enumerate(home.people, start=1)
        )
        folder.mkdir(parents=True, exist_ok=True)
        return (
            files.write(folder / files.DWELLINGS, files.DWELLING_COLUMNS, map(_dwelling_line, self.homes)),
            files.write(folder / files.HOUSEHOLDS, files.PERSON_COLUMNS, people),
            *self.increment(folder, date.min, up_to),
        )

    def increment(self, folder: Path, after: date, up_to: date, *, broken: Random | None = None) -> tuple[Path, ...]:
        """The two ledgers with what was booked in (after, up_to]; with `broken` some lines that nobody can read."""
        folder.mkdir(parents=True, exist_ok=True)
        for month in range(self._played + 1, _month(up_to) + 1):
            self._play(month, falling=True)
        first = 0 if after == date.min else _month(after)
        lines: dict[str, list[tuple[date, str, str]]] = {creditor: [] for _name, creditor, _encoding in LEDGERS}
        for month in range(max(first, min(self._lines)), _month(up_to) + 1):
            for home, one in self._lines.get(month, ()):
                if after < one.booked_on <= up_to:
                    creditor = home.creditor(one.item)
                    text = files.movement_line(home.code, home.dwelling, creditor, one)
                    lines[creditor].append((one.booked_on, one.id, text))
        found = []
        for name, creditor, encoding in LEDGERS:
            texts = [text for _on, _id, text in sorted(lines[creditor])]
            dirty = texts if broken is None else _with_broken_ones(broken, texts)
            found.append(files.write(folder / name, files.LEDGER_COLUMNS, dirty, encoding))
        return tuple(found)

    def sign(self, code: str, on: date, instalments: Sequence[tuple[date, int]], chance: Random) -> None:
        """A home has signed a plan (due on, cents): most keep it, some pay late, some stop half-way."""
        home = self._by_code[code]
        home.plans += 1
        home.behind, home.share = False, 100
        fate = chance.random()
        kept = len(instalments) if fate < 0.8 else chance.randrange(len(instalments))
        delay = chance.randrange(5, 15) if 0.6 < fate < 0.8 else -1
        for n, (due, cents) in enumerate(instalments[:kept]):
            booked = max(due + timedelta(days=delay), on + timedelta(days=1))
            one = Movement(self._id(home, on, 20 + n, home.plans), "CANONE", booked, None, CAUSES[0], 0, cents, "")
            self._lines.setdefault(_month(booked), []).append((home, one))
            home.owed["CANONE"] -= cents

    def _play(self, month: int, *, falling: bool) -> None:
        self._played = month
        lines = self._lines.setdefault(month, [])
        for home in self.homes:
            chance = Random(f"{self.seed}/{home.number}/{month}")
            self._live(home, chance, falling=falling)
            self._pay(home, chance, month, lines)

    def _live(self, home: Home, chance: Random, *, falling: bool) -> None:
        luck = chance.random()
        if not home.behind and falling and luck < (STOPS_AGAIN if home.plans else self.loses_income):
            home.behind, home.share = True, chance.choice((0, 0, 40))
        elif home.behind and luck < RECOVERS:
            home.behind, home.share = False, 100

    def _pay(self, home: Home, chance: Random, month: int, lines: list[tuple[Home, Movement]]) -> None:
        first = date(month // 12, month % 12 + 1, 1)
        due = first.replace(day=DUE_DAY)
        late = chance.random() < LATE
        paid_on = due + timedelta(days=chance.randrange(3, 20) if late else chance.randrange(-7, 3))
        slips = chance.random() < SLIPS
        for slot, (item, cents) in enumerate((("CANONE", home.rent), ("SPESE", home.service))):
            charge = Movement(self._id(home, first, slot, 0), item, first, due, "BOLLETTAZIONE", cents, 0, "")
            lines.append((home, charge))
            home.owed[item] += cents
            paid = home.owed[item] if home.share == 100 and not home.plans else cents * home.share // 100
            if slips and item == "SPESE":
                paid = 0
            if paid > 0:
                one = Movement(self._id(home, first, 2 + slot, 0), item, paid_on, None, CAUSES[1], 0, paid, "")
                self._lines.setdefault(_month(paid_on), []).append((home, one))
                home.owed[item] -= paid

    def _id(self, home: Home, on: date, slot: int, plan: int) -> str:
        return f"{home.number:05d}{_month(on) - EPOCH:03d}{plan:02d}{slot:03d}"


def _with_broken_ones(chance: Random, lines: Sequence[str]) -> list[str]:
    """The first line and one in ten cannot be read: no such day, amount, tenancy or item."""
    dirty = []
    for line in lines:
        if dirty and chance.random() >= 0.1:
            dirty.append(line)
            continue
        parts = line.split(";")
        column, wrong = chance.choice(((5, "31/02/2026"), (8, "1.2.3,4x"), (1, "999999"), (3, "GAS")))
        parts[column] = wrong
        dirty.append(";".join(parts))
    return dirty


def _dwelling_line(home: Home) -> str:
    quarter, building, _creditor = home.place
    number = home.number // 2 // HOMES_OF_A_BUILDING + 1
    return ";".join(
        (
            home.dwelling,
            f"{building} {number}",
            quarter,
            f"Via del Ponte {number}",
            "A",
            str(home.number),
            home.code,
            files.italian(date(2012, 1, 1)),
            files.euro(home.rent),
            files.euro(home.service),
        )
    )


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1
