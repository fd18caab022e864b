"""A neighbourhood of 328 homes made from a seed: households pay by habit, or as the player of the demo tells them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from ponte_workflow.demo import ledger_files as files
from ponte_workflow.demo.habits import mix, month_of
from ponte_workflow.demo.people import Person, household
from ponte_workflow.demo.rent import Habit, Movement, RentBook, Steering

SHORTEST_MONTHS = 20  # below this nobody's arrears can be older than a year
REPEATED_IN_INCREMENT = 8


@dataclass(frozen=True, slots=True)
class Building:
    """A building as the landlord's files write it."""

    prefix: str
    name: str
    quarter: str
    address: str
    homes: int
    service_creditor: str


BUILDINGS = (
    Building("SME", "Smeraldo", "Sanpolino", "Viale del Ponte 12", 96, files.CONDOMINIUM),
    Building("SOL", "Sole", "Sanpolino", "Viale del Ponte 20", 84, files.CONDOMINIUM),
    Building("CIM", "Torre Cimabue", "San Polo", "Piazzetta della Torre 4", 148, files.LANDLORD),
)


@dataclass(frozen=True, slots=True)
class Home:
    """A dwelling with its tenancy, its people and their habit; amounts in cents a month."""

    number: int
    dwelling_code: str
    tenancy_code: str
    building: Building
    unit: int
    starts_on: date
    rent_cents: int
    service_cents: int
    people: tuple[Person, ...]
    habit: Habit

    def creditor(self, item: str) -> str:
        """Who bills an item here."""
        return files.LANDLORD if item == "CANONE" else self.building.service_creditor


@dataclass(slots=True)
class Neighbourhood:
    """All homes and what the player changed. The same seed, dates and changes give the same files, byte by byte."""

    seed: int
    first_month: date
    homes: tuple[Home, ...]
    _steering: dict[str, list[Steering]] = field(default_factory=dict)
    _books: dict[str, tuple[int, list[Movement]]] = field(default_factory=dict)

    @classmethod
    def generate(cls, seed: int, first_month: date, last_day: date) -> "Neighbourhood":
        """Homes whose arrears come up before and in the twelve weeks before `last_day`; life goes on after it.

        Raises ValueError when the ledgers would be too short to tell old arrears from new ones.
        """
        if month_of(last_day) - month_of(first_month) < SHORTEST_MONTHS:
            raise ValueError(f"a neighbourhood needs at least {SHORTEST_MONTHS} months of ledger before {last_day}")
        random = Random(seed)
        habits = mix(random, sum(building.homes for building in BUILDINGS), last_day)
        homes: list[Home] = []
        for building in BUILDINGS:
            for unit in range(1, building.homes + 1):
                homes.append(_home(random, len(homes), building, unit, habits[len(homes)], first_month))
        return cls(seed, first_month.replace(day=1), tuple(homes))

    def home(self, tenancy_code: str) -> Home:
        """The home of a tenancy. Raises KeyError when there is none."""
        for home in self.homes:
            if home.tenancy_code == tenancy_code:
                return home
        raise KeyError(tenancy_code)

    def start_paying(
        self,
        tenancy_code: str,
        from_day: date,
        monthly_extra_cents: int = 0,
        *,
        instalments: Sequence[tuple[date, int]] = (),
    ) -> None:
        """From a day on, pay every current charge in time, and more until nothing is owed.

        More is `instalments` (due on, cents), each booked on its day or up to two days before; or, without them,
        `monthly_extra_cents` on the day of the month of `from_day`, that day included. Give days not yet exported.
        """
        self.steer(Steering(tenancy_code, from_day, True, monthly_extra_cents, tuple(instalments)))

    def stop_paying(self, tenancy_code: str, from_day: date) -> None:
        """From a day on, pay nothing."""
        self.steer(Steering(tenancy_code, from_day, False))

    def steer(self, steering: Steering) -> None:
        """Apply a change, for instance one remembered from an earlier play. The latest `from_day` reached counts."""
        code = self.home(steering.tenancy_code).tenancy_code
        self._steering.setdefault(code, []).append(steering)
        self._books.pop(code, None)

    @property
    def steering(self) -> tuple[Steering, ...]:
        """Every change so far, to be remembered and given to `steer` again."""
        return tuple(one for changes in self._steering.values() for one in changes)

    def movements(self, tenancy_code: str, up_to: date) -> list[Movement]:
        """The movements of a tenancy booked up to a day, charges of its month included."""
        return [line for line in self._book(self.home(tenancy_code), up_to) if line.booked_on <= up_to]

    def balance(self, tenancy_code: str, on: date) -> int:
        """Cents owed on a day: charges due less payments booked."""
        lines = self.movements(tenancy_code, on)
        return sum(line.cents - line.paid_cents for line in lines if line.due_on is None or line.due_on <= on)

    def write_exports(self, folder: Path, up_to: date) -> tuple[Path, ...]:
        """The four files as exported on a day, with their repeated and broken lines; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        people = (
            files.person_line(home.tenancy_code, ordinal, person)
            for home in self.homes
            for ordinal, person in enumerate(home.people, start=1)
        )
        dirt = Random(f"{self.seed}/dirt")
        return (
            files.write(folder / files.DWELLINGS, files.DWELLING_COLUMNS, map(_dwelling_line, self.homes)),
            files.write(folder / files.HOUSEHOLDS, files.PERSON_COLUMNS, people),
            *self._write_ledgers(folder, up_to, lambda line: True, lambda lines: files.with_dirt(dirt, lines)),
        )

    def write_increment(self, folder: Path, after: date, up_to: date) -> tuple[Path, ...]:
        """The two ledgers with what was booked in (after, up_to], and a few older lines once more."""
        folder.mkdir(parents=True, exist_ok=True)
        month_before = after - timedelta(days=30)
        random = Random(f"{self.seed}/{up_to.isoformat()}")
        old: dict[str, list[str]] = {}

        def again(creditor: str, lines: list[str]) -> list[str]:
            return random.sample(old[creditor], min(REPEATED_IN_INCREMENT, len(old[creditor]))) + lines

        for creditor in (files.LANDLORD, files.CONDOMINIUM):
            old[creditor] = self._lines(creditor, after, lambda line: line.booked_on > month_before)
        return tuple(
            files.write(
                folder / name,
                files.LEDGER_COLUMNS,
                again(creditor, self._lines(creditor, up_to, lambda line: line.booked_on > after)),
                encoding,
            )
            for name, creditor, encoding in LEDGERS
        )

    def _write_ledgers(
        self,
        folder: Path,
        up_to: date,
        wanted: Callable[[Movement], bool],
        finish: Callable[[list[str]], Iterable[str]],
    ) -> tuple[Path, ...]:
        return tuple(
            files.write(folder / name, files.LEDGER_COLUMNS, finish(self._lines(creditor, up_to, wanted)), encoding)
            for name, creditor, encoding in LEDGERS
        )

    def _lines(self, creditor: str, up_to: date, wanted: Callable[[Movement], bool]) -> list[str]:
        """Lines of one creditor's ledger in the order of booking."""
        found = [
            (line.booked_on, line.id, files.movement_line(home.tenancy_code, home.dwelling_code, creditor, line))
            for home in self.homes
            for line in self._book(home, up_to)
            if line.booked_on <= up_to and home.creditor(line.item) == creditor and wanted(line)
        ]
        return [text for _on, _id, text in sorted(found)]

    def _book(self, home: Home, up_to: date) -> list[Movement]:
        last = month_of(up_to)
        played, lines = self._books.get(home.tenancy_code, (0, []))
        if played < last:
            steering = self._steering.get(home.tenancy_code, [])
            first = month_of(self.first_month)
            book = RentBook(self.seed, home.number, home.rent_cents, home.service_cents, home.habit, first, steering)
            lines = book.play(last)
            self._books[home.tenancy_code] = last, lines
        return lines


LEDGERS = (
    (files.LANDLORD_LEDGER, files.LANDLORD, "cp1252"),
    (files.CONDOMINIUM_LEDGER, files.CONDOMINIUM, "utf-8-sig"),
)


def _home(random: Random, number: int, building: Building, unit: int, habit: Habit, first_month: date) -> Home:
    return Home(
        number=number,
        dwelling_code=f"{building.prefix}-{unit:03d}",
        tenancy_code=f"{810004 + number * 9}",
        building=building,
        unit=unit,
        starts_on=date(random.randint(2006, first_month.year - 1), random.randint(1, 12), 1),
        rent_cents=random.randint(160, 620) * 50,
        service_cents=random.randint(56, 176) * 50,
        people=household(random, number, first_month),
        habit=habit,
    )


def _dwelling_line(home: Home) -> str:
    return ";".join(
        (
            home.dwelling_code,
            home.building.name,
            home.building.quarter,
            home.building.address,
            "AB"[home.unit % 2],
            str(home.unit),
            home.tenancy_code,
            files.italian(home.starts_on),
            files.euro(home.rent_cents),
            files.euro(home.service_cents),
        )
    )
